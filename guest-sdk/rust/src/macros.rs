//! The macro that makes a crate an extension.

/// Makes the crate an extension: registers its parameter sources, runners, schedulers, track processors and validators under
/// the names that track.json uses. Write it once, at the top level of `lib.rs`; leave out what there is none of.
///
/// ```
/// # use rally_sdk::{Client, Context, Params, ParamSource, Random, Request, Result, Runner, Scheduler, Outcome, Values};
/// # struct Terms; impl ParamSource for Terms { fn open(_: &Context) -> Result<Self> { Ok(Terms) }
/// #   fn params(&mut self, _: &mut Request) -> Result<()> { Ok(()) } }
/// # fn term(_: &Context, _: &mut Random, _: &mut Request) -> Result<()> { Ok(()) }
/// # fn percolate(_: &Client, _: &mut Params) -> Result<()> { Ok(()) }
/// # struct Jitter; impl Scheduler for Jitter { fn open(_: &Context) -> Result<Self> { Ok(Jitter) }
/// #   fn next(&mut self, current: f64) -> Result<f64> { Ok(current) } }
/// # fn check(_: &Values) -> Result<()> { Ok(()) }
/// rally_sdk::track! {
///     sources: ["random-terms" => Terms, "random-term" => fn term],
///     runners: ["percolate" => fn percolate],
///     schedulers: ["jitter" => Jitter],
///     validators: ["append-no-conflicts" => fn check],
///     sharing: Isolated,
/// }
/// # fn main() {}
/// ```
///
/// `=> Type` registers a type with the role's trait ([`ParamSource`](crate::ParamSource), [`Runner`](crate::Runner),
/// [`Scheduler`](crate::Scheduler) or [`FeedbackScheduler`](crate::FeedbackScheduler), [`Processor`](crate::Processor)),
/// `=> fn function` a function ([`SourceFunction`](crate::SourceFunction), a runner function that returns what
/// [`Runner::run`](crate::Runner::run) returns, [`Validator`](crate::Validator)).
///
/// `sharing` says how instances are made: `Isolated` (the default, and the fast way), `PerClient` or `PerWorker`, see
/// [`Sharing`](crate::Sharing).
#[macro_export]
macro_rules! track {
    ($($role:ident : $entries:tt),* $(,)?) => {
        #[doc(hidden)]
        pub struct RallyTrackExtension;

        impl $crate::__private::Registered for RallyTrackExtension {
            fn registry() -> $crate::__private::Registry {
                #[allow(unused_mut)]
                let mut registry =
                    $crate::__private::Registry::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
                $( $crate::__register!(registry $role $entries); )*
                registry
            }
        }

        $crate::__export!(extension);
        $( $crate::__export!($role); )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($registry:ident sharing $sharing:ident) => {
        $registry.sharing($crate::Sharing::$sharing)
    };
    ($registry:ident $role:ident [$($entries:tt)*]) => {
        $crate::__entries!($registry $role $($entries)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __entries {
    ($registry:ident $role:ident) => {};
    ($registry:ident sources $name:literal => fn $function:path $(, $($rest:tt)*)?) => {
        $registry.source_function($name, $function);
        $( $crate::__entries!($registry sources $($rest)*) )?
    };
    ($registry:ident sources $name:literal => $type:ty $(, $($rest:tt)*)?) => {
        $registry.source::<$type>($name);
        $( $crate::__entries!($registry sources $($rest)*) )?
    };
    ($registry:ident runners $name:literal => fn $function:path $(, $($rest:tt)*)?) => {
        $registry.runner_function($name, $crate::__runner_function!($function));
        $( $crate::__entries!($registry runners $($rest)*) )?
    };
    ($registry:ident runners $name:literal => $type:ty $(, $($rest:tt)*)?) => {
        $registry.runner::<$type>($name);
        $( $crate::__entries!($registry runners $($rest)*) )?
    };
    ($registry:ident schedulers $name:literal => $type:ty $(, $($rest:tt)*)?) => {
        $registry.scheduler({
            #[allow(unused_imports)]
            use $crate::__private::{FeedbackEntry as _, SimpleEntry as _};
            (&$crate::__private::SchedulerTag::<$type>::new()).entry($name)
        });
        $( $crate::__entries!($registry schedulers $($rest)*) )?
    };
    ($registry:ident processors $name:literal => $type:ty $(, $($rest:tt)*)?) => {
        $registry.processor::<$type>($name);
        $( $crate::__entries!($registry processors $($rest)*) )?
    };
    ($registry:ident validators $name:literal => fn $function:path $(, $($rest:tt)*)?) => {
        $registry.validator($name, $function);
        $( $crate::__entries!($registry validators $($rest)*) )?
    };
}

/// Exports a role: only in a component, where the role exists by being exported.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    (sharing) => {};
    (extension) => { $crate::__export!(extension export_extension); };
    (sources) => { $crate::__export!(sources export_sources); };
    (runners) => { $crate::__export!(runners export_runners); };
    (schedulers) => { $crate::__export!(schedulers export_schedulers); };
    (processors) => { $crate::__export!(processors export_processors); };
    (validators) => { $crate::__export!(validators export_validators); };
    ($module:ident $macro:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            $crate::__private::bindings::$module::$macro!(
                RallyTrackExtension with_types_in $crate::__private::bindings::$module
            );
        };
    };
}
