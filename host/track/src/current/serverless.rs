//! What a serverless service does not offer.

use serde_json::Value;

use crate::reading::DraftChallenge;
use crate::{Operation, OperationType, ServerlessStatus};

/// Removes the tasks that the target would refuse, and says so in the challenge. As in Rally those of parallel elements
/// stay.
pub(super) fn leave_out_unavailable(challenges: &mut [DraftChallenge], is_operator: bool) {
    let least = if is_operator { ServerlessStatus::Internal } else { ServerlessStatus::Public };
    for DraftChallenge { challenge, elements, .. } in challenges {
        let mut removed = Vec::new();
        elements.retain(|element| {
            let task = match (&element.parallel, element.tasks.first()) {
                (None, Some(draft)) => &draft.task,
                _ => {
                    challenge
                        .serverless_info
                        .push(format!("Treating parallel task in challenge [{}] as public.", challenge.name));
                    return true;
                }
            };
            let stays = is_available(&task.operation, least);
            if !stays {
                removed.push(format!("[{}]", task.name));
            }
            stays
        });
        if !removed.is_empty() {
            challenge.serverless_info.push(format!(
                "Excluding {} as challenge [{}] is run on serverless.",
                removed.join(", "),
                challenge.name
            ));
        }
    }
}

/// What an operation says of itself counts more than its type; types of extensions are taken for available.
fn is_available(operation: &Operation, least: ServerlessStatus) -> bool {
    match operation.params.get("run-on-serverless") {
        None | Some(Value::Null) => OperationType::named(&operation.operation_type)
            .is_none_or(|kind| kind.serverless_status() >= least),
        Some(said) => !matches!(said, Value::Bool(false)),
    }
}
