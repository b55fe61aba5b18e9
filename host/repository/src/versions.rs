//! Which branch of a repository belongs to a version of Elasticsearch: Elastic Rally's rule.

/// The branch for what is newer than all others.
const MASTER: &str = "master";

/// The "version" of Elasticsearch Serverless, which has none.
const SERVERLESS: &str = "serverless";

/// What a version consists of; two versions that differ in nothing but their suffix are alike to the rules below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionComponents {
    /// `8` of `8.11.3-SNAPSHOT`.
    pub major: u64,
    /// `11` of `8.11.3-SNAPSHOT`; versions of Elasticsearch have one, names of branches may not.
    pub minor: Option<u64>,
    /// `3` of `8.11.3-SNAPSHOT`.
    pub patch: Option<u64>,
    /// `SNAPSHOT` of `8.11.3-SNAPSHOT`.
    pub suffix: Option<String>,
}

/// A text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a version of Elasticsearch; a version has three numbers, e.g. 8.11.3 or 8.11.3-SNAPSHOT"
)]
pub struct InvalidVersion {
    /// The text.
    pub text: String,
}

/// Takes a version apart. `strict`: it has to have major, minor and patch number; otherwise the major number is enough, as
/// in names of branches.
///
/// # Errors
/// Where the text is not a version.
pub fn components(text: &str, strict: bool) -> Result<VersionComponents, InvalidVersion> {
    let invalid = || InvalidVersion { text: text.to_owned() };
    let (numbers, suffix) = match text.split_once('-') {
        Some((numbers, suffix)) => (numbers, Some(suffix)),
        None => (text, None),
    };
    let mut numbers = numbers.split('.');
    let mut next = || match numbers.next() {
        // `7.` is a lenient `7`.
        None | Some("") => Ok(None),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map(Some).map_err(|_| invalid())
        }
        Some(_) => Err(invalid()),
    };
    let (major, minor, patch) = (next()?, next()?, next()?);
    let well_formed = numbers.next().is_none()
        && suffix.is_none_or(|suffix| !suffix.is_empty() && !suffix.contains('\n'))
        && (patch.is_some() || suffix.is_none())
        && (minor.is_some() || patch.is_none())
        && (patch.is_some() || !strict);
    match major {
        Some(major) if well_formed => {
            Ok(VersionComponents { major, minor, patch, suffix: suffix.map(str::to_owned) })
        }
        _ => Err(invalid()),
    }
}

/// Whether a text is a version; `strict` as in [`components`].
pub fn is_version_identifier(text: Option<&str>, strict: bool) -> bool {
    text.is_some_and(|text| components(text, strict).is_ok())
}

/// Whether a text stands for Elasticsearch Serverless.
pub fn is_serverless(text: &str) -> bool {
    text == SERVERLESS
}

/// The major number of a version.
///
/// # Errors
/// Where the text is no (whole) version.
pub fn major_version(text: &str) -> Result<u64, InvalidVersion> {
    Ok(components(text, true)?.major)
}

/// The names that a version goes by, from the most to the least specific: `5.0.0-SNAPSHOT`, `5.0.0`, `5.0`, `5`.
///
/// # Errors
/// Where the text is no (whole) version.
pub fn variants_of(version: &str) -> Result<Vec<String>, InvalidVersion> {
    let components = components(version, true)?;
    let major = components.major;
    let mut numbers = vec![major.to_string()];
    for number in [components.minor, components.patch].into_iter().flatten() {
        let shorter = numbers.last().map_or("", String::as_str);
        numbers.push(format!("{shorter}.{number}"));
    }
    if let (Some(suffix), Some(patch)) = (&components.suffix, numbers.last()) {
        numbers.push(format!("{patch}-{suffix}"));
    }
    numbers.reverse();
    Ok(numbers)
}

/// The branch, of those available, for a version of Elasticsearch: the version itself, then the same major and minor
/// number, then the nearest earlier minor of the same major, then the major number; `master` for a major number above all
/// branches, for Serverless and where there is no version. `None`: no branch is for this version.
pub fn best_match<S: AsRef<str>>(available: &[S], version: Option<&str>) -> Option<String> {
    let Some(version) = version.filter(|version| !version.is_empty()) else {
        return Some(MASTER.to_owned());
    };
    if is_serverless(version) {
        return Some(MASTER.to_owned());
    }
    let wanted = components(version, true).ok()?;
    let with_minor = format!("{}.{}", wanted.major, wanted.minor.unwrap_or_default());
    for variant in variants_of(version).ok()? {
        if available.iter().any(|branch| branch.as_ref() == variant) {
            return Some(variant);
        }
        if variant == with_minor
            && let Some(minor) = nearest_earlier_minor(available, &wanted)
        {
            return Some(format!("{}.{minor}", wanted.major));
        }
    }
    let latest = lenient(available).map(|branch| branch.major).max();
    latest.is_none_or(|latest| wanted.major > latest).then(|| MASTER.to_owned())
}

/// The greatest minor number not above the wanted one, among the branches of the same major number that name no patch.
fn nearest_earlier_minor<S: AsRef<str>>(available: &[S], wanted: &VersionComponents) -> Option<u64> {
    lenient(available)
        .filter(|branch| branch.major == wanted.major && branch.patch.is_none() && branch.suffix.is_none())
        .filter_map(|branch| branch.minor)
        .filter(|minor| Some(*minor) <= wanted.minor)
        .max()
}

fn lenient<S: AsRef<str>>(available: &[S]) -> impl Iterator<Item = VersionComponents> {
    available.iter().filter_map(|branch| components(branch.as_ref(), false).ok())
}
