//! Objects that a source keeps for the runner of the same instance.

use std::any::Any;
use std::cell::RefCell;

thread_local! {
    static HELD: RefCell<Slab> = const { RefCell::new(Slab { places: Vec::new(), free: Vec::new() }) };
}

struct Slab {
    places: Vec<Option<Box<dyn Any>>>,
    free: Vec<u32>,
}

/// Keeps an object under a number above 0.
pub(crate) fn keep(object: Box<dyn Any>) -> u32 {
    HELD.with_borrow_mut(|slab| match slab.free.pop() {
        Some(number) => {
            slab.places[number as usize - 1] = Some(object);
            number
        }
        None => {
            slab.places.push(Some(object));
            slab.places.len() as u32
        }
    })
}

/// Gives the object of this number back and forgets it.
pub(crate) fn take(number: u32) -> Option<Box<dyn Any>> {
    HELD.with_borrow_mut(|slab| {
        let object = slab.places.get_mut((number as usize).checked_sub(1)?)?.take()?;
        slab.free.push(number);
        Some(object)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_given_back_once_and_its_number_is_used_again() {
        let (first, second) = (keep(Box::new("a")), keep(Box::new("b")));
        assert_ne!(first, second);
        assert_eq!(*take(first).unwrap().downcast::<&str>().unwrap(), "a");
        assert!(take(first).is_none(), "taken already");
        assert_eq!(keep(Box::new("c")), first);
        assert!(take(0).is_none() && take(99).is_none());
    }
}
