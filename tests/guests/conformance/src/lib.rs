//! Uses every part of the interface once. Each part has a name of its own, so that tests of a host can drive it alone; what it
//! found out is in the body of a request, in the meta-data of an outcome or in a file of the data folder.

mod preparing;
mod runners;
mod schedulers;
mod sources;

use preparing::{Preparing, check_parameters};
use runners::{Builtin, Clusters, Completing, EchoHeld, Failing, Outcomes};
use schedulers::{Steps, Watching};
use sources::{Bodies, Clock, Documents, Endless, Files, Finite, Held, Lines, Race};

rally_sdk::track! {
    sources: [
        "race" => Race,
        "bodies" => Bodies,
        "documents" => Documents,
        "files" => Files,
        "clock" => Clock,
        "finite" => Finite,
        "lines" => Lines,
        "held" => Held,
        "log" => fn sources::log_lines,
        "track" => fn sources::track_documents,
        "endless" => Endless,
    ],
    runners: [
        "held" => EchoHeld,
        "echo" => fn runners::echo,
        "send" => fn runners::send,
        "send-all" => fn runners::send_all,
        "submit" => fn runners::submit,
        "sleep" => fn runners::sleep,
        "builtin" => Builtin,
        "clusters" => Clusters,
        "outcome" => Outcomes,
        "error" => Failing,
        "completing" => Completing,
    ],
    schedulers: ["steps" => Steps, "watching" => Watching],
    processors: ["preparing" => Preparing],
    validators: ["conformance" => fn check_parameters],
    sharing: PerClient,
}
