//! From the package's places to documents with the field names of the GeoNames dump, as in the 2017 Rally tutorial.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A place as the package has it. An unknown field is an error: it would be data left out silently.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place<'a> {
    geonameid: u64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    alternatenames: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    latitude: &'a RawValue,
    #[serde(borrow)]
    longitude: &'a RawValue,
    #[serde(borrow)]
    countrycode: Cow<'a, str>,
    #[serde(borrow)]
    admin1code: Cow<'a, str>,
    population: u64,
    #[serde(borrow)]
    timezone: Cow<'a, str>,
}

/// A document, in the order of the dump's columns. What a place does not have is left out, as in the tutorial.
#[derive(Serialize)]
struct Document<'a> {
    geonameid: u64,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    alternatenames: &'a str,
    // The digits of the source: reading and printing a float could change the last one.
    latitude: &'a RawValue,
    longitude: &'a RawValue,
    #[serde(skip_serializing_if = "str::is_empty")]
    country_code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    admin1_code: &'a str,
    population: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    timezone: &'a str,
}

/// The documents of a `cities*.json`, one JSON text each without a line end, by rising `geonameid`.
///
/// # Errors
/// With line and column when the text is not a map of places; with the id when a place contradicts its key or has
/// coordinates that are none.
pub fn documents(text: &str) -> anyhow::Result<Vec<String>> {
    let places: BTreeMap<u64, Place> =
        serde_json::from_str(text).context("the data set is not the known map of id to place")?;
    places.iter().map(|(id, place)| document(*id, place)).collect()
}

fn document(id: u64, place: &Place) -> anyhow::Result<String> {
    if place.geonameid != id {
        bail!("place {id} says that its geonameid is {}", place.geonameid);
    }
    for (axis, value, limit) in [("latitude", place.latitude, 90.0), ("longitude", place.longitude, 180.0)] {
        let degrees: f64 = value.get().parse().with_context(|| format!("place {id}: {axis} {value}"))?;
        if degrees.abs() > limit {
            bail!("place {id}: {axis} {degrees} lies outside of -{limit} to {limit}");
        }
    }
    // The dump separates alternate names by commas, which is why none of them holds one.
    let names: Vec<&str> =
        place.alternatenames.iter().map(Cow::as_ref).filter(|name| !name.is_empty()).collect();
    if let Some(name) = names.iter().find(|name| name.contains(',')) {
        bail!("place {id}: the alternate name {name:?} holds a comma");
    }
    let document = Document {
        geonameid: id,
        name: &place.name,
        alternatenames: &names.join(","),
        latitude: place.latitude,
        longitude: place.longitude,
        country_code: &place.countrycode,
        admin1_code: &place.admin1code,
        population: place.population,
        timezone: &place.timezone,
    };
    Ok(serde_json::to_string(&document)?)
}

/// `count` documents at regular distances, in their order; all of them if there are no more.
pub fn sample(documents: &[String], count: usize) -> Vec<String> {
    if documents.len() <= count {
        return documents.to_vec();
    }
    (0..count).map(|index| documents[index * documents.len() / count].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VILA: &str = r#"{"geonameid": 7, "name": "Vil\u00e0", "latitude": 42.10, "longitude": -1.5,
        "countrycode": "AD", "population": 0, "timezone": "Europe/Andorra", "admin1code": "",
        "alternatenames": ["Casas Vila", "", "\u0412\u0438\u043b\u0430"]}"#;

    #[test]
    fn a_place_becomes_a_document_with_the_names_of_the_dump() {
        let documents = documents(&format!(r#"{{"7": {VILA}}}"#)).unwrap();
        assert_eq!(
            documents,
            [
                r#"{"geonameid":7,"name":"Vilà","alternatenames":"Casas Vila,Вила","latitude":42.10,"longitude":-1.5,"country_code":"AD","population":0,"timezone":"Europe/Andorra"}"#
            ]
        );
    }

    #[test]
    fn documents_are_sorted_by_number_not_by_text() {
        let text =
            ["10", "9", "7"].map(|id| format!(r#""{id}": {}"#, VILA.replace(": 7,", &format!(": {id},"))));
        let documents = documents(&format!("{{{}}}", text.join(","))).unwrap();
        let starts: Vec<&str> = documents.iter().map(|d| d.split(',').next().unwrap()).collect();
        assert_eq!(starts, [r#"{"geonameid":7"#, r#"{"geonameid":9"#, r#"{"geonameid":10"#]);
    }

    #[test]
    fn a_field_that_nobody_knows_is_an_error() {
        let text = format!(r#"{{"7": {}}}"#, VILA.replace(r#""name""#, r#""elevation": 12, "name""#));
        let error = format!("{:#}", documents(&text).unwrap_err());
        assert!(error.contains("unknown field `elevation`"), "{error}");
    }

    #[test]
    fn a_place_under_another_id_is_an_error() {
        let error = documents(&format!(r#"{{"8": {VILA}}}"#)).unwrap_err().to_string();
        assert_eq!(error, "place 8 says that its geonameid is 7");
    }

    #[test]
    fn coordinates_outside_of_the_globe_are_an_error() {
        let error =
            documents(&format!(r#"{{"7": {}}}"#, VILA.replace("42.10", "90.5"))).unwrap_err().to_string();
        assert_eq!(error, "place 7: latitude 90.5 lies outside of -90 to 90");
    }

    #[test]
    fn a_sample_is_spread_over_all_documents() {
        let documents: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(sample(&documents, 4), ["0", "2", "5", "7"]);
        assert_eq!(sample(&documents, 10), documents);
        assert_eq!(sample(&documents, 20), documents);
    }
}
