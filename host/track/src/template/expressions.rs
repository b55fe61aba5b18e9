//! Rewrites expressions where minijinja computes otherwise than Python.
//!
//! An expression is parsed by the engine's own parser and written down again, with calls instead of some operators:
//! comparisons that Python refuses, `%` that formats, lists and maps that methods change.

use std::fmt::Write as _;

use minijinja::Value;
use minijinja::machinery::ast::{BinOpKind, CallArg, CompareOpKind, Expr, UnaryOpKind};
use minijinja::machinery::parse_expr;
use minijinja::value::ValueKind;
use rally_support::python::float;

use super::instrument::{MADE_FUNCTION, WALKED_FUNCTION};

/// Methods that a map has in Python even if it has a key of that name.
pub(super) const MAP_METHODS: [&str; 10] =
    ["clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

/// Methods that change a list or a map. Literals are made changeable only in templates that call one.
const CHANGING_METHODS: [&str; 11] = [
    ".append(",
    ".clear(",
    ".extend(",
    ".insert(",
    ".pop(",
    ".popitem(",
    ".remove(",
    ".reverse(",
    ".setdefault(",
    ".sort(",
    ".update(",
];

/// How the expressions of a template are rewritten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rewriting {
    /// Whether lists and maps must be changeable.
    changeable: bool,
}

impl Rewriting {
    pub(super) fn of(source: &str) -> Self {
        Self { changeable: CHANGING_METHODS.iter().any(|method| source.contains(method)) }
    }

    /// An expression, rewritten, with as many line ends as before. `None` if it is malformed: the engine reports why.
    pub(super) fn expression(self, text: &str) -> Option<String> {
        let expression = parse_expr(text.trim()).ok()?;
        let mut out = String::with_capacity(text.len() * 2);
        self.write(&expression, &mut out)?;
        out.extend(text.chars().filter(|character| *character == '\n'));
        Some(out)
    }

    fn list<'a>(self, items: impl IntoIterator<Item = &'a Expr<'a>>, out: &mut String) -> Option<()> {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            self.write(item, out)?;
        }
        Some(())
    }

    fn arguments(self, arguments: &[CallArg<'_>], out: &mut String) -> Option<()> {
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            let value = match argument {
                CallArg::Pos(value) => value,
                CallArg::Kwarg(name, value) => {
                    out.push_str(name);
                    out.push('=');
                    value
                }
                CallArg::PosSplat(value) => {
                    let _ = write!(out, "*{WALKED_FUNCTION}(");
                    self.write(value, out)?;
                    out.push(')');
                    continue;
                }
                CallArg::KwargSplat(value) => {
                    out.push_str("**");
                    value
                }
            };
            self.write(value, out)?;
        }
        Some(())
    }

    fn call<'a>(
        self,
        function: &str,
        arguments: impl IntoIterator<Item = &'a Expr<'a>>,
        out: &mut String,
    ) -> Option<()> {
        out.push_str(function);
        out.push('(');
        self.list(arguments, out)?;
        out.push(')');
        Some(())
    }

    fn compared(self, first: &Expr<'_>, operations: &[(&str, &Expr<'_>)], out: &mut String) -> Option<()> {
        out.push_str("__compare(");
        self.write(first, out)?;
        for (sign, operand) in operations {
            let _ = write!(out, ",'{sign}',");
            self.write(operand, out)?;
        }
        out.push(')');
        Some(())
    }

    fn binary(self, kind: BinOpKind, left: &Expr<'_>, right: &Expr<'_>, out: &mut String) -> Option<()> {
        let sign = match kind {
            BinOpKind::Lt => return self.compared(left, &[("<", right)], out),
            BinOpKind::Lte => return self.compared(left, &[("<=", right)], out),
            BinOpKind::Gt => return self.compared(left, &[(">", right)], out),
            BinOpKind::Gte => return self.compared(left, &[(">=", right)], out),
            BinOpKind::In => return self.compared(left, &[("in", right)], out),
            BinOpKind::Rem => return self.call("__modulo", [left, right], out),
            BinOpKind::Concat => {
                out.push_str(MADE_FUNCTION);
                out.push('(');
                self.call("__concat", [left, right], out)?;
                out.push(')');
                return Some(());
            }
            BinOpKind::Eq => "==",
            BinOpKind::Ne => "!=",
            BinOpKind::ScAnd => "and",
            BinOpKind::ScOr => "or",
            BinOpKind::Add => "+",
            BinOpKind::Sub => "-",
            BinOpKind::Mul => "*",
            BinOpKind::Div => "/",
            BinOpKind::FloorDiv => "//",
            BinOpKind::Pow => "**",
        };
        // Sums and products can be texts and lists.
        let makes = matches!(kind, BinOpKind::Add | BinOpKind::Mul);
        if makes {
            out.push_str(MADE_FUNCTION);
        }
        out.push('(');
        self.write(left, out)?;
        let _ = write!(out, " {sign} ");
        self.write(right, out)?;
        out.push(')');
        Some(())
    }

    /// Writes an expression so that anything can stand before and behind it.
    fn write(self, expression: &Expr<'_>, out: &mut String) -> Option<()> {
        match expression {
            Expr::Var(variable) => out.push_str(variable.id),
            Expr::Const(constant) => write_constant(&constant.value, out)?,
            Expr::Slice(slice) => {
                out.push_str("__slice(");
                self.write(&slice.expr, out)?;
                for bound in [&slice.start, &slice.stop, &slice.step] {
                    out.push(',');
                    match bound {
                        Some(bound) => self.write(bound, out)?,
                        None => out.push_str("none"),
                    }
                }
                out.push(')');
            }
            Expr::UnaryOp(operation) => {
                out.push_str(match operation.op {
                    UnaryOpKind::Not => "(not ",
                    UnaryOpKind::Neg => "(-",
                });
                self.write(&operation.expr, out)?;
                out.push(')');
            }
            Expr::BinOp(operation) => self.binary(operation.op, &operation.left, &operation.right, out)?,
            Expr::Compare(comparison) => {
                let operations = comparison.ops.iter().map(|operation| (sign(operation.op), &operation.expr));
                self.compared(&comparison.expr, &operations.collect::<Vec<_>>(), out)?;
            }
            Expr::IfExpr(choice) => {
                out.push('(');
                self.write(&choice.true_expr, out)?;
                out.push_str(" if ");
                self.write(&choice.test_expr, out)?;
                if let Some(otherwise) = &choice.false_expr {
                    out.push_str(" else ");
                    self.write(otherwise, out)?;
                }
                out.push(')');
            }
            Expr::Filter(filter) => {
                out.push_str(MADE_FUNCTION);
                out.push('(');
                self.write(filter.expr.as_ref()?, out)?;
                let _ = write!(out, "|{}(", filter.name);
                self.arguments(&filter.args, out)?;
                out.push_str("))");
            }
            Expr::Test(test) => {
                out.push('(');
                self.write(&test.expr, out)?;
                let _ = write!(out, " is {}", test.name);
                if !test.args.is_empty() {
                    out.push('(');
                    self.arguments(&test.args, out)?;
                    out.push(')');
                }
                out.push(')');
            }
            Expr::GetAttr(attribute) if MAP_METHODS.contains(&attribute.name) => {
                out.push_str("__method(");
                self.write(&attribute.expr, out)?;
                let _ = write!(out, ",'{}')", attribute.name);
            }
            Expr::GetAttr(attribute) => {
                self.write(&attribute.expr, out)?;
                let _ = write!(out, ".{}", attribute.name);
            }
            Expr::GetItem(item) => {
                self.write(&item.expr, out)?;
                out.push('[');
                self.write(&item.subscript_expr, out)?;
                out.push(']');
            }
            Expr::Call(call) => {
                out.push_str(MADE_FUNCTION);
                out.push('(');
                self.write(&call.expr, out)?;
                out.push('(');
                self.arguments(&call.args, out)?;
                out.push_str("))");
            }
            Expr::List(list) => {
                out.push_str(if self.changeable { "__list([" } else { "[" });
                self.list(&list.items, out)?;
                out.push_str(if self.changeable { "])" } else { "]" });
            }
            Expr::Tuple(tuple) => {
                out.push('(');
                self.list(&tuple.items, out)?;
                out.push_str(if tuple.items.len() == 1 { ",)" } else { ")" });
            }
            Expr::Map(map) => {
                out.push_str(if self.changeable { "__dict({" } else { "{" });
                for (index, (key, value)) in map.keys.iter().zip(&map.values).enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.write(key, out)?;
                    out.push(':');
                    self.write(value, out)?;
                }
                out.push_str(if self.changeable { "})" } else { "}" });
            }
        }
        Some(())
    }
}

fn sign(kind: CompareOpKind) -> &'static str {
    match kind {
        CompareOpKind::Eq => "==",
        CompareOpKind::Ne => "!=",
        CompareOpKind::Lt => "<",
        CompareOpKind::Lte => "<=",
        CompareOpKind::Gt => ">",
        CompareOpKind::Gte => ">=",
        CompareOpKind::In => "in",
        CompareOpKind::NotIn => "not in",
    }
}

fn write_constant(value: &Value, out: &mut String) -> Option<()> {
    match value.kind() {
        ValueKind::None => out.push_str("none"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::String => {
            out.push('"');
            for character in value.as_str()?.chars() {
                match character {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    // Nothing in a string may look like the end of a tag.
                    '{' | '}' | '%' | '#' => {
                        let _ = write!(out, "\\u{:04x}", u32::from(character));
                    }
                    other => out.push(other),
                }
            }
            out.push('"');
        }
        ValueKind::Number if value.is_integer() => {
            let _ = write!(out, "{value}");
        }
        ValueKind::Number => {
            let number = f64::try_from(value.clone()).ok().filter(|number| number.is_finite())?;
            out.push_str(&float(number));
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        Rewriting::of(text).expression(text).unwrap()
    }

    #[test]
    fn operators_become_calls_where_python_differs() {
        assert_eq!(rewritten("a < 1 <= b"), "__compare(a,'<',1,'<=',b)");
        assert_eq!(rewritten("a|default({'k':[1,(2,)]})"), "__made(a|default({\"k\":[1,(2,)]}))");
        assert_eq!(rewritten("f(x,*y,k=1) + 1"), "__made(__made(f(x,*__walked(y),k=1)) + 1)");
        assert_eq!(rewritten("a[1:b]"), "__slice(a,1,b,none)");
        assert_eq!(rewritten("a % b ~ 'x'"), "__made(__concat(__modulo(a,b),\"x\"))");
        assert_eq!(rewritten("not a.b in c and d == 1.5"), "((not __compare(a.b,'in',c)) and (d == 1.5))");
    }

    #[test]
    fn what_is_the_same_stays() {
        for text in ["(a if b)", "(a is divisibleby(3))"] {
            assert_eq!(rewritten(text), text);
        }
    }

    #[test]
    fn lists_are_changeable_where_something_changes_one() {
        assert_eq!(rewritten("[1].append(2)"), "__made(__list([1]).append(2))");
    }

    #[test]
    fn strings_keep_their_letters_and_expressions_their_lines() {
        assert_eq!(
            rewritten("'}}%' ~\n\n\"q'\\\"\\n\""),
            "__made(__concat(\"\\u007d\\u007d\\u0025\",\"q'\\\"\\n\"))\n\n"
        );
    }
}
