//! The calls of guests of this version: one list, from which both kinds of instances come. What `bindgen!` makes of the interface
//! is there twice, with different types, so that what is done with them is written here once and compiled twice.

/// All calls, by role: `name(arguments) -> result = function of the interface`.
macro_rules! guest_calls {
    ($form:ident) => {
        crate::since_0_1_0::calls::roles! {
            $form
            extension: extension "extension" {
                describe() -> Result<Description, Error> = [] call_describe;
            }
            sources: param_sources "param-sources" {
                open_source(name: &str, context: Resource<RaceContext>) -> Result<ResourceAny, Error> = [source] call_open;
                extent(source: ResourceAny) -> Extent = [source] call_extent;
                next(source: ResourceAny, limit: u32, most_bytes: u32) -> Result<Batch, Error> = [source] call_next;
                next_lines(source: ResourceAny, limit: u32, most_bytes: u32) -> Result<Lines, Error> = [source] call_next_lines;
            }
            runners: runners "runners" {
                open_runner(name: &str, context: Resource<RaceContext>) -> Result<ResourceAny, Error> = [runner] call_open;
                run(runner: ResourceAny, params: &WitParams, body: Option<RequestBody>) -> Result<Outcome, Error> = [runner] call_run;
                progress(runner: ResourceAny) -> Progress = [runner] call_progress;
            }
            schedulers: schedulers "schedulers" {
                open_scheduler(name: &str, context: Resource<RaceContext>) -> Result<ResourceAny, Error> = [scheduler] call_open;
                due_times(scheduler: ResourceAny, current: f64, finished: &[WitFeedback], limit: u32) -> Result<Vec<f64>, Error> = [scheduler] call_next;
            }
            processors: processors "processors" {
                on_load(name: &str, context: Resource<RaceContext>) -> Result<Option<String>, Error> = [] call_on_load;
                on_prepare(name: &str, context: Resource<RaceContext>) -> Result<Option<u32>, Error> = [] call_on_prepare;
                run_job(job: u32) -> Result<(), Error> = [] call_run_job;
            }
            validators: validators "validators" {
                validate(challenge: &str, track_params: &str) -> Result<(), Error> = [] call_validate;
            }
        }
    };
}

/// The roles of a component, where they are in it, and their calls.
macro_rules! roles {
    (
        $form:ident
        $($role:ident: $module:ident $interface:literal {
            $($name:ident($($argument:ident: $type:ty),*) -> $result:ty = [$($resource:ident)?] $call:ident;)*
        })*
    ) => {
        /// The roles that the component has.
        struct Roles {
            $($role: Option<exports::$module::Guest>,)*
        }

        /// Where the roles are in the component.
        pub(crate) struct RoleIndices {
            $($role: Option<exports::$module::GuestIndices>,)*
        }

        impl RoleIndices {
            /// Finds the roles that the component `has`.
            pub(crate) fn new(
                component: &InstancePre<HostState>,
                has: impl Fn(&str) -> bool,
            ) -> wasmtime::Result<RoleIndices> {
                Ok(RoleIndices {
                    $($role: match has($interface) {
                        true => Some(exports::$module::GuestIndices::new(component)?),
                        false => None,
                    },)*
                })
            }

            fn load(&self, store: &mut Store<HostState>, instance: &Instance) -> wasmtime::Result<Roles> {
                Ok(Roles {
                    $($role: match &self.$role {
                        Some(role) => Some(role.load(&mut *store, instance)?),
                        None => None,
                    },)*
                })
            }
        }

        #[allow(dead_code, reason = "no instance of one kind makes all calls")]
        impl Roles {
            $($(
                crate::since_0_1_0::calls::call_function! {
                    $form $role $interface $name($($argument: $type),*) -> $result = [$($resource)?] $call
                }
            )*)*
        }
    };
}

/// One call of the list, in the form of instances whose calls never wait or may wait.
macro_rules! call_function {
    (
        sync $role:ident $interface:literal
        $name:ident($($argument:ident: $type:ty),*) -> $result:ty = [$($resource:ident)?] $call:ident
    ) => {
        fn $name(&self, store: &mut Store<HostState>, $($argument: $type,)*) -> wasmtime::Result<$result> {
            let role = self.$role.as_ref().ok_or_else(|| crate::since_0_1_0::call::missing($interface))?;
            role$(.$resource())?.$call(store, $($argument),*)
        }
    };
    (
        async $role:ident $interface:literal
        $name:ident($($argument:ident: $type:ty),*) -> $result:ty = [$($resource:ident)?] $call:ident
    ) => {
        async fn $name(&self, store: &mut Store<HostState>, $($argument: $type,)*) -> wasmtime::Result<$result> {
            let role = self.$role.as_ref().ok_or_else(|| crate::since_0_1_0::call::missing($interface))?;
            role$(.$resource())?.$call(store, $($argument),*).await
        }
    };
}

/// What both kinds of instances do: `$perform!(instance, call, name(arguments))` makes a call of the list, and returns from the
/// method where it fails.
macro_rules! common_calls {
    ($instance:ident [$($async:tt)?] $perform:ident) => {
        impl $instance {
            /// Opens a source.
            pub(crate) $($async)? fn open_source(
                &mut self,
                info: &SourceInfo,
                context: RaceContext,
            ) -> Result<OpenSource, CallError> {
                let call = Call::opens("source.open", &info.name);
                let context = self.push_context(call, context)?;
                let opened = $perform!(self, call, open_source(&info.name, context));
                let handle = self.caller.guest(call, opened)?;
                let call = Call::opens("source.extent", &info.name);
                let extent = match $perform!(self, call, extent(handle)) {
                    Extent::Infinite => crate::extension::Extent::Infinite,
                    Extent::Finite(requests) => crate::extension::Extent::Finite(requests),
                };
                let reader = BatchReader::new(MAY_HOLD);
                Ok(OpenSource { handle, form: info.form, name: info.name.clone(), reader, charged: 0, extent })
            }

            /// Appends at most `limit` requests.
            pub(crate) $($async)? fn next(
                &mut self,
                source: &mut OpenSource,
                limit: usize,
                out: &mut Vec<Params>,
            ) -> Result<More, CallError> {
                let OpenSource { handle, form, name, reader, charged, .. } = source;
                let most = u32::try_from(limit).unwrap_or(u32::MAX);
                if *form == Form::Lines {
                    let call = Call::works("source.next-lines", name);
                    let lines = $perform!(self, call, next_lines(*handle, most, MOST_BYTES));
                    let lines = self.caller.guest(call, lines)?;
                    let read = read_charged(self.store.data_mut(), reader, charged, |reader, memory| {
                        reader.read_lines(&lines.text, lines.exhausted, limit, memory, out)
                    });
                    return self.caller.batch(call, read);
                }
                let call = Call::works("source.next", name);
                let batch = $perform!(self, call, next(*handle, most, MOST_BYTES));
                let batch = self.caller.guest(call, batch)?;
                let state = self.store.data_mut();
                let raw = raw_batch(state, batch).map_err(|problem| self.caller.nonsense(call, problem))?;
                let read = read_charged(state, reader, charged, |reader, memory| {
                    reader.read(raw, limit, memory, out)
                });
                self.caller.batch(call, read)
            }

            /// Opens a scheduler.
            pub(crate) $($async)? fn open_scheduler(
                &mut self,
                name: &str,
                context: RaceContext,
            ) -> Result<OpenScheduler, CallError> {
                let call = Call::opens("scheduler.open", name);
                let context = self.push_context(call, context)?;
                let opened = $perform!(self, call, open_scheduler(name, context));
                let handle = self.caller.guest(call, opened)?;
                Ok(OpenScheduler { handle, name: name.to_owned(), wrong: None })
            }

            /// The next due times, at least one and at most `limit`.
            pub(crate) $($async)? fn due_times(
                &mut self,
                scheduler: &mut OpenScheduler,
                current: f64,
                finished: &[Feedback],
                limit: u32,
            ) -> Result<Vec<f64>, CallError> {
                let OpenScheduler { handle, name, wrong } = scheduler;
                let call = Call::works("scheduler.next", name);
                if let Some(problem) = wrong.take() {
                    return Err(self.caller.nonsense(call, problem));
                }
                let finished: Vec<WitFeedback> = finished.iter().map(wit_feedback).collect();
                let times = $perform!(self, call, due_times(*handle, current, &finished, limit));
                let mut times = self.caller.guest(call, times)?;
                match crate::due::first_wrong(current, &times, limit) {
                    None => {}
                    Some((0, problem)) => return Err(self.caller.nonsense(call, problem)),
                    // Requests before it are made first: perhaps no one asks for more.
                    Some((good, problem)) => {
                        times.truncate(good);
                        *wrong = Some(problem);
                    }
                }
                Ok(times)
            }

            /// Lets a processor change the track. `None`: it leaves it.
            pub(crate) $($async)? fn on_load(
                &mut self,
                name: &str,
                context: RaceContext,
            ) -> Result<Option<String>, CallError> {
                let call = Call::opens("on-load", name);
                let context = self.push_context(call, context)?;
                let changed = $perform!(self, call, on_load(name, context));
                let changed = self.caller.guest(call, changed)?;
                if changed.as_deref().is_some_and(|text| parsed_size(text) > self.store.data().room()) {
                    return Err(self.caller.over_limit(call, LimitKind::Memory));
                }
                Ok(changed)
            }

            fn push_context(
                &mut self,
                call: Call<'_>,
                context: RaceContext,
            ) -> Result<Resource<RaceContext>, CallError> {
                let state = self.store.data_mut();
                match state.table.push(context) {
                    Ok(handle) => Ok(handle),
                    Err(error) => Err(self.caller.failed(call, state, &error.into())),
                }
            }
        }

        fn raw_batch(state: &mut HostState, batch: Batch) -> Result<RawBatch, String> {
            let take = |given: HostBody| match state.take_body(given.body) {
                Ok(body) => Ok((given.position, body_kind(given.kind), body)),
                Err(problem) => Err(format!("a body that is none: {problem}")),
            };
            let bodies = batch.bodies.into_iter().map(take).collect::<Result<_, _>>()?;
            let item = |item: &Item| RawItem {
                shape: item.shape,
                arena_end: item.arena_end,
                body_kind: body_kind(item.body_kind),
                documents: item.documents,
                held: item.held,
            };
            Ok(RawBatch {
                new_shapes: batch.new_shapes.into_iter().map(|shape| (shape.slot, shape.params)).collect(),
                items: batch.items.iter().map(item).collect(),
                arena: batch.arena,
                bodies,
                exhausted: batch.exhausted,
            })
        }

        fn wit_feedback(feedback: &Feedback) -> WitFeedback {
            WitFeedback {
                started: feedback.started,
                finished: feedback.finished,
                weight: feedback.weight,
                unit: feedback.unit.clone(),
                success: feedback.success,
                meta: feedback.meta.clone(),
            }
        }
    };
}

pub(crate) use {call_function, common_calls, guest_calls, roles};
