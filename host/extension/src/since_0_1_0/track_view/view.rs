//! How a part of the model is shown to guests and taken back from them.

use std::sync::Arc;

use serde_json::{Map, Value};

/// A part of the track in the shape that guests see.
pub(super) trait View: Sized {
    /// The part of the model that it stands for.
    type Model;

    /// The view of a part.
    fn of(model: &Self::Model) -> Self;

    /// The part that this view means now; `before` is the one that it was made of, which has what guests do not see.
    fn restore(self, before: Option<&Self::Model>) -> Self::Model;

    /// Whether this is the view of that part in a list.
    fn shows(&self, _model: &Self::Model) -> bool {
        false
    }

    /// What a part is recognised by among others, in JSON.
    fn key(_value: &Value) -> Option<Value> {
        None
    }

    /// Puts what `returned` leaves out back from `before`.
    fn keep(_returned: &mut Value, _before: &Value) {}
}

impl<T: View> View for Option<T> {
    type Model = Option<T::Model>;

    fn of(model: &Self::Model) -> Self {
        model.as_ref().map(T::of)
    }

    fn restore(self, before: Option<&Self::Model>) -> Self::Model {
        self.map(|view| view.restore(before.and_then(Option::as_ref)))
    }

    fn keep(returned: &mut Value, before: &Value) {
        if !returned.is_null() {
            T::keep(returned, before);
        }
    }
}

impl<T: View> View for Arc<T> {
    type Model = Arc<T::Model>;

    fn of(model: &Self::Model) -> Self {
        Arc::new(T::of(model))
    }

    fn restore(self, before: Option<&Self::Model>) -> Self::Model {
        // It was just read: no one else has it.
        match Arc::try_unwrap(self) {
            Ok(view) => Arc::new(view.restore(before.map(Arc::as_ref))),
            Err(_) => unreachable!("a view that was just read is shared"),
        }
    }

    fn shows(&self, model: &Self::Model) -> bool {
        T::shows(self, model)
    }

    fn key(value: &Value) -> Option<Value> {
        T::key(value)
    }

    fn keep(returned: &mut Value, before: &Value) {
        T::keep(returned, before);
    }
}

impl<T: View> View for Vec<T> {
    type Model = Vec<T::Model>;

    fn of(model: &Self::Model) -> Self {
        model.iter().map(T::of).collect()
    }

    fn restore(self, before: Option<&Self::Model>) -> Self::Model {
        let before = before.map_or(&[][..], Vec::as_slice);
        let restore = |view: T| {
            let known = before.iter().find(|model| view.shows(model));
            view.restore(known)
        };
        self.into_iter().map(restore).collect()
    }

    fn keep(returned: &mut Value, before: &Value) {
        let (Some(returned), Some(before)) = (returned.as_array_mut(), before.as_array()) else { return };
        for part in returned {
            let key = T::key(part);
            if let Some(known) = before.iter().find(|known| key.is_some() && T::key(known) == key) {
                T::keep(part, known);
            }
        }
    }
}

/// Values that guests see as they are, and change as a whole.
macro_rules! plain {
    ($($type:ty),*) => {
        $(impl View for $type {
            type Model = $type;

            fn of(model: &$type) -> $type {
                model.clone()
            }

            fn restore(self, _before: Option<&$type>) -> $type {
                self
            }
        })*
    };
}

plain!(String, bool, u32, u64, f64, Value, Map<String, Value>);

/// A struct of the model as guests see it: `shown` fields, recognised in a list by `key`; fields that are `hidden` stay as they
/// are. A field that is added to the model does not compile until it is in one of the two.
macro_rules! view {
    (
        $(#[$meta:meta])*
        $view:ident of $model:ident by $key:ident {
            $($(#[$attribute:meta])* $field:ident: $type:ty,)*
        }
        $(hidden { $($hidden:ident,)* })?
    ) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        pub(super) struct $view {
            $($(#[$attribute])* pub(super) $field: $type,)*
        }

        impl View for $view {
            type Model = rally_track::$model;

            fn of(model: &Self::Model) -> Self {
                let rally_track::$model { $($field,)* $($($hidden: _,)*)? } = model;
                $view { $($field: View::of($field),)* }
            }

            fn restore(self, before: Option<&Self::Model>) -> Self::Model {
                rally_track::$model {
                    $($field: self.$field.restore(before.map(|before| &before.$field)),)*
                    $($($hidden: before.map(|before| before.$hidden.clone()).unwrap_or_default(),)*)?
                }
            }

            fn shows(&self, model: &Self::Model) -> bool {
                self.$key == model.$key
            }

            fn key(value: &serde_json::Value) -> Option<serde_json::Value> {
                value.get(stringify!($key)).cloned()
            }

            fn keep(returned: &mut serde_json::Value, before: &serde_json::Value) {
                let Some(returned) = returned.as_object_mut() else { return };
                $({
                    let (name, known) = (stringify!($field), before.get(stringify!($field)));
                    match (returned.get_mut(name), known) {
                        (Some(value), Some(known)) => <$type as View>::keep(value, known),
                        (None, Some(known)) => {
                            returned.insert(name.to_owned(), known.clone());
                        }
                        (_, None) => {}
                    }
                })*
            }
        }
    };
}

pub(super) use view;
