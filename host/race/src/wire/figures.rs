//! Figures as they cross to another process: exactly.

/// A number that may be infinite or no number at all, which JSON cannot write: then its name. What rally measures is finite;
/// the sum of what a runner says may not be.
pub(crate) mod number {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.is_finite() { serializer.serialize_f64(*number) } else { serializer.collect_str(number) }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Number {
            Finite(f64),
            Named(String),
        }
        match Number::deserialize(deserializer)? {
            Number::Finite(number) => Ok(number),
            Number::Named(name) => name.parse().map_err(de::Error::custom),
        }
    }
}

/// Histograms in the V2 encoding of HdrHistogram, as base64.
pub(crate) mod histograms {
    use std::collections::BTreeMap;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Deserializer as Decoder, Serializer as _, V2Serializer};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

    use crate::recording::{HIGHEST_NANOSECONDS, Key, SIGNIFICANT_DIGITS};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        key: Key,
        v2: String,
    }

    pub(crate) fn serialize<S: Serializer>(
        histograms: &BTreeMap<Key, Histogram<u64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut encoder = V2Serializer::new();
        let mut bytes = Vec::new();
        serializer.collect_seq(
            histograms
                .iter()
                .map(|(key, histogram)| {
                    bytes.clear();
                    encoder.serialize(histogram, &mut bytes).map_err(ser::Error::custom)?;
                    Ok(Entry { key: *key, v2: STANDARD.encode(&bytes) })
                })
                .collect::<Result<Vec<_>, S::Error>>()?,
        )
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Key, Histogram<u64>>, D::Error> {
        let mut decoder = Decoder::new();
        let mut histograms = BTreeMap::new();
        for Entry { key, v2 } in Vec::<Entry>::deserialize(deserializer)? {
            let bytes = STANDARD.decode(v2).map_err(de::Error::custom)?;
            let histogram: Histogram<u64> =
                decoder.deserialize(&mut bytes.as_slice()).map_err(de::Error::custom)?;
            let bounds = (histogram.low(), histogram.high(), histogram.sigfig());
            if bounds != (1, HIGHEST_NANOSECONDS, SIGNIFICANT_DIGITS) {
                return Err(de::Error::custom(format!("a histogram with the bounds {bounds:?}")));
            }
            histograms.insert(key, histogram);
        }
        Ok(histograms)
    }
}

/// A map whose keys are no texts: as a list of pairs.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
