//! The other templates that a template names.

use minijinja::machinery::ast::{BinOpKind, Expr, Stmt};

use super::parsed::children;

/// A template that another one includes, imports or extends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Offset of the statement in the source.
    pub(super) at: usize,
    /// Name of the other template.
    pub(super) name: String,
    /// Whether it sees the variables that stand at the statement, or only the globals.
    pub(super) sees_variables: bool,
}

/// What is named in a template as far as its text says: a name that is computed only when the template is rendered is not
/// among them.
pub(super) fn references(source: &str, template: &Stmt<'_>) -> Vec<Reference> {
    let mut found = Vec::new();
    collect(source, template, &mut found);
    found
}

fn collect(source: &str, statement: &Stmt<'_>, found: &mut Vec<Reference>) {
    let (name, span, is_import) = match statement {
        Stmt::Include(include) => (&include.name, include.span(), false),
        Stmt::Extends(extends) => (&extends.name, extends.span(), false),
        Stmt::Import(import) => (&import.expr, import.span(), true),
        Stmt::FromImport(import) => (&import.expr, import.span(), true),
        _ => {
            let statements = children(statement).into_iter().flatten();
            statements.for_each(|statement| collect(source, statement, found));
            return;
        }
    };
    let (at, end) = (span.start_offset as usize, span.end_offset as usize);
    // The engine drops what an import says of its context.
    let tail = source.get(at..).unwrap_or_default();
    let tail = &tail[..tail[end.saturating_sub(at).min(tail.len())..]
        .find("%}")
        .map_or(tail.len(), |close| end.saturating_sub(at) + close)];
    let words: Vec<&str> = tail.trim_end_matches(['-', '+']).split_whitespace().collect();
    let context = words.strip_suffix(&["context"]).and_then(|words| words.last().copied());
    let sees_variables = if is_import { context == Some("with") } else { context != Some("without") };
    let names = texts(name).into_iter();
    found.extend(names.map(|name| Reference { at, name, sees_variables }));
}

/// All texts that an expression made of constants may be.
fn texts(expression: &Expr<'_>) -> Vec<String> {
    match expression {
        Expr::Const(constant) => constant.value.as_str().map(str::to_owned).into_iter().collect(),
        Expr::List(list) => list.items.iter().flat_map(texts).collect(),
        Expr::Tuple(tuple) => tuple.items.iter().flat_map(texts).collect(),
        Expr::IfExpr(choice) => [Some(&choice.true_expr), choice.false_expr.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(texts)
            .collect(),
        Expr::BinOp(operation) => match operation.op {
            BinOpKind::Concat | BinOpKind::Add => {
                let ends = texts(&operation.right);
                let joined =
                    |start: String| ends.iter().map(move |end| format!("{start}{end}")).collect::<Vec<_>>();
                texts(&operation.left).into_iter().flat_map(joined).collect()
            }
            BinOpKind::ScOr | BinOpKind::ScAnd => {
                [&operation.left, &operation.right].into_iter().flat_map(texts).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
