//! Reads a template without rendering it.

use minijinja::machinery::{ast, parse};
use minijinja::{Error, ErrorKind};

/// Parses a template as Rally's engine does.
///
/// # Errors
///
/// Where the engine sees an error of syntax, and for a statement that it knows but Rally's does not.
pub(super) fn parsed<'a>(source: &'a str, name: &'a str) -> Result<ast::Stmt<'a>, Error> {
    let template = parse(source, name, minijinja::syntax::SyntaxConfig::default())?;
    match first_do(std::slice::from_ref(&template)) {
        Some(line) => Err(Error::new(
            ErrorKind::SyntaxError,
            format!("unknown statement do (line {line}); assign the result with set instead"),
        )),
        None => Ok(template),
    }
}

/// Line of the first `do`.
fn first_do(statements: &[ast::Stmt<'_>]) -> Option<usize> {
    statements.iter().find_map(|statement| match statement {
        ast::Stmt::Do(statement) => Some(statement.span().start_line as usize),
        _ => children(statement).into_iter().find_map(first_do),
    })
}

/// The bodies of a statement.
pub(super) fn children<'s, 'a>(statement: &'s ast::Stmt<'a>) -> Vec<&'s [ast::Stmt<'a>]> {
    match statement {
        ast::Stmt::Template(template) => vec![&template.children],
        ast::Stmt::ForLoop(statement) => vec![&statement.body, &statement.else_body],
        ast::Stmt::IfCond(statement) => vec![&statement.true_body, &statement.false_body],
        ast::Stmt::WithBlock(statement) => vec![&statement.body],
        ast::Stmt::SetBlock(statement) => vec![&statement.body],
        ast::Stmt::AutoEscape(statement) => vec![&statement.body],
        ast::Stmt::FilterBlock(statement) => vec![&statement.body],
        ast::Stmt::Block(statement) => vec![&statement.body],
        ast::Stmt::Macro(statement) => vec![&statement.body],
        ast::Stmt::CallBlock(statement) => vec![&statement.macro_decl.body],
        _ => Vec::new(),
    }
}
