//! Which parameters a template reads: the names that it looks up without having set them.
//!
//! What counts is where Jinja2's compiler would look a name up in the context, and that is not always what one would
//! guess: a name that only one branch of an `if` sets counts, and so does one that is set from itself
//! (`{% set x = x | default(1) %}`); one that is set anywhere at the same level, even later, does not.
//!
//! Unlike Jinja2, this follows templates into those that they include, import and extend.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Error;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, CallArg, Expr, Stmt};

use super::options::RESERVED_PARAMETERS;
use super::parsed::{children, parsed};
use super::references::{Reference, references};

/// Globals of Jinja2.
const GLOBALS: [&str; 6] = ["cycler", "dict", "joiner", "lipsum", "namespace", "range"];

/// The parameters that a template reads, itself or through another template. `read_by` answers what the template of a name
/// reads.
///
/// # Errors
///
/// If it cannot be parsed.
pub(super) fn undeclared(
    source: &str,
    name: &str,
    read_by: &mut dyn FnMut(&str) -> BTreeSet<String>,
) -> Result<BTreeSet<String>, Error> {
    let template = parsed(source, name)?;
    let mut found = BTreeSet::new();
    let statements = children(&template);
    let mut others = Others::new();
    for Reference { at, name, sees_variables } in references(source, &template) {
        let names = read_by(&name);
        match sees_variables {
            true => others.entry(at).or_default().extend(names),
            false => found.extend(names),
        }
    }
    let mut root = Scope::new(None, &others);
    root.declare("self");
    for statement in statements.iter().copied().flatten() {
        root.statement(statement);
    }
    root.report(&mut found);
    for statements in statements {
        descend(statements, &root, &mut found);
    }
    found.retain(|name| !GLOBALS.contains(&name.as_str()) && !RESERVED_PARAMETERS.contains(&name.as_str()));
    Ok(found)
}

/// How a scope comes to the value of a name that it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    /// It is set, or given, in the scope.
    Own,
    /// It is looked up in the context: a parameter.
    Resolved,
}

/// The names that other templates look up among the variables of this one, by the offset of the statement that names them.
type Others = BTreeMap<usize, BTreeSet<String>>;

/// The names of a scope: the template, a loop, a macro, …
#[derive(Debug, Clone)]
struct Scope<'p, 's> {
    parent: Option<&'p Scope<'p, 's>>,
    others: &'s Others,
    names: BTreeMap<&'s str, Load>,
    stores: BTreeSet<&'s str>,
}

impl<'p, 's> Scope<'p, 's> {
    fn new(parent: Option<&'p Scope<'p, 's>>, others: &'s Others) -> Self {
        Self { parent, others, names: BTreeMap::new(), stores: BTreeSet::new() }
    }

    fn within(parent: &'p Scope<'p, 's>) -> Self {
        Self::new(Some(parent), parent.others)
    }

    fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.parent.is_some_and(|parent| parent.knows(name))
    }

    fn declare(&mut self, name: &'s str) {
        self.stores.insert(name);
        self.names.insert(name, Load::Own);
    }

    fn store(&mut self, name: &'s str) {
        self.stores.insert(name);
        self.names.entry(name).or_insert(Load::Own);
    }

    fn load(&mut self, name: &'s str) {
        if !self.knows(name) {
            self.names.insert(name, Load::Resolved);
        }
    }

    /// Both branches of an `if` know what was known before; what either sets may be unset behind it.
    fn branches(&mut self, branches: [&'s [Stmt<'s>]; 2]) {
        let after = branches.map(|statements| {
            let mut branch = self.clone();
            for statement in statements {
                branch.statement(statement);
            }
            branch
        });
        let mut set: BTreeSet<&str> = after.iter().flat_map(|branch| &branch.stores).copied().collect();
        set.retain(|name| !self.stores.contains(name));
        for branch in after {
            self.names.extend(branch.names);
            self.stores.extend(branch.stores);
        }
        for name in set {
            let outside = self.parent.is_some_and(|parent| parent.knows(name));
            self.names.insert(name, if outside { Load::Own } else { Load::Resolved });
        }
    }

    fn report(&self, found: &mut BTreeSet<String>) {
        let resolved = self.names.iter().filter(|(_, load)| **load == Load::Resolved);
        found.extend(resolved.map(|(name, _)| (*name).to_owned()));
    }

    /// What a statement uses in the scope that it stands in; not what it uses in scopes of its own.
    fn statement(&mut self, statement: &'s Stmt<'s>) {
        match statement {
            Stmt::EmitExpr(statement) => self.expression(&statement.expr),
            Stmt::ForLoop(statement) => self.expression(&statement.iter),
            Stmt::IfCond(statement) => {
                self.expression(&statement.expr);
                self.branches([&statement.true_body, &statement.false_body]);
            }
            Stmt::WithBlock(statement) => {
                statement.assignments.iter().for_each(|(_, value)| self.expression(value));
            }
            Stmt::Set(statement) => {
                self.expression(&statement.expr);
                self.target(&statement.target, Self::store);
            }
            Stmt::SetBlock(statement) => self.target(&statement.target, Self::store),
            Stmt::FilterBlock(statement) => self.expression(&statement.filter),
            Stmt::Extends(statement) => {
                self.expression(&statement.name);
                self.other(statement.span());
            }
            Stmt::Include(statement) => {
                self.expression(&statement.name);
                self.other(statement.span());
            }
            Stmt::Import(statement) => {
                self.expression(&statement.expr);
                self.other(statement.span());
                self.target(&statement.name, Self::store);
            }
            Stmt::FromImport(statement) => {
                self.expression(&statement.expr);
                self.other(statement.span());
                for (name, alias) in &statement.names {
                    self.target(alias.as_ref().unwrap_or(name), Self::store);
                }
            }
            Stmt::Macro(statement) => self.store(statement.name),
            Stmt::CallBlock(statement) => self.call(&statement.call),
            Stmt::Do(statement) => self.call(&statement.call),
            Stmt::Template(_) | Stmt::EmitRaw(_) | Stmt::AutoEscape(_) | Stmt::Block(_) => {}
        }
    }

    /// What another template looks up that the statement at this place names.
    fn other(&mut self, span: Span) {
        let names = self.others.get(&(span.start_offset as usize));
        names.into_iter().flatten().for_each(|name| self.load(name));
    }

    fn target(&mut self, target: &'s Expr<'s>, set: fn(&mut Self, &'s str)) {
        match target {
            Expr::Var(variable) => set(self, variable.id),
            Expr::List(list) => list.items.iter().for_each(|item| self.target(item, set)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.target(item, set)),
            // An attribute of a namespace.
            other => self.expression(other),
        }
    }

    fn arguments(&mut self, arguments: &'s [CallArg<'s>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => self.expression(value),
            }
        }
    }

    fn call(&mut self, call: &'s ast::Call<'s>) {
        self.expression(&call.expr);
        self.arguments(&call.args);
    }

    fn expressions(&mut self, expressions: impl IntoIterator<Item = &'s Expr<'s>>) {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &'s Expr<'s>) {
        match expression {
            Expr::Var(variable) => self.load(variable.id),
            Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                self.expressions([&slice.start, &slice.stop, &slice.step].into_iter().flatten());
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => self.expressions([&operation.left, &operation.right]),
            Expr::Compare(comparison) => {
                self.expression(&comparison.expr);
                self.expressions(comparison.ops.iter().map(|operation| &operation.expr));
            }
            Expr::IfExpr(choice) => {
                self.expressions([&choice.test_expr, &choice.true_expr]);
                self.expressions(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                self.expressions(&filter.expr);
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            Expr::GetAttr(attribute) => self.expression(&attribute.expr),
            Expr::GetItem(item) => self.expressions([&item.expr, &item.subscript_expr]),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.expressions(&list.items),
            Expr::Tuple(tuple) => self.expressions(&tuple.items),
            Expr::Map(map) => self.expressions(map.keys.iter().chain(&map.values)),
        }
    }

    fn body(&mut self, statements: &'s [Stmt<'s>]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn macro_body(&mut self, declaration: &'s ast::Macro<'s>) {
        ["caller", "kwargs", "varargs"].iter().for_each(|name| self.declare(name));
        declaration.args.iter().for_each(|argument| self.target(argument, Self::declare));
        self.expressions(&declaration.defaults);
        self.body(&declaration.body);
    }
}

/// Reports what the scopes within these statements look up.
fn descend<'s>(statements: &'s [Stmt<'s>], scope: &Scope<'_, 's>, found: &mut BTreeSet<String>) {
    for statement in statements {
        let mut inner = Scope::within(scope);
        match statement {
            Stmt::IfCond(statement) => {
                descend(&statement.true_body, scope, found);
                descend(&statement.false_body, scope, found);
                continue;
            }
            Stmt::ForLoop(statement) => {
                if let Some(filter) = &statement.filter_expr {
                    let mut test = Scope::within(scope);
                    test.target(&statement.target, Scope::declare);
                    test.expression(filter);
                    test.report(found);
                }
                let mut otherwise = Scope::within(scope);
                otherwise.body(&statement.else_body);
                otherwise.report(found);
                descend(&statement.else_body, &otherwise, found);
                inner.declare("loop");
                inner.target(&statement.target, Scope::declare);
                inner.body(&statement.body);
            }
            Stmt::Macro(statement) => inner.macro_body(statement),
            Stmt::CallBlock(statement) => inner.macro_body(&statement.macro_decl),
            Stmt::FilterBlock(statement) => {
                inner.body(&statement.body);
                inner.expression(&statement.filter);
            }
            Stmt::WithBlock(statement) => {
                statement.assignments.iter().for_each(|(target, _)| inner.target(target, Scope::declare));
                inner.body(&statement.body);
            }
            Stmt::SetBlock(statement) => {
                inner.body(&statement.body);
                inner.expressions(&statement.filter);
            }
            Stmt::AutoEscape(statement) => {
                inner.expression(&statement.enabled);
                inner.body(&statement.body);
            }
            Stmt::Block(statement) => {
                // A block sees nothing of what is set around it.
                inner.parent = None;
                ["self", "super"].iter().for_each(|name| inner.declare(name));
                inner.body(&statement.body);
            }
            _ => continue,
        }
        inner.report(found);
        let body = children(statement).into_iter().next().unwrap_or_default();
        descend(body, &inner, found);
    }
}
