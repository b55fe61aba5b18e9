//! Date formats: Elasticsearch's named ones and Java's pattern letters, to and from milliseconds since the epoch.

use crate::error::EsError;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The format of date fields that name none.
pub const DEFAULT_FORMAT: &str = "strict_date_optional_time||epoch_millis";

/// One or more formats, tried in turn when parsing; the first one prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    source: String,
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Alternative {
    EpochMillis,
    EpochSecond,
    Pattern(Vec<Item>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Literal(char),
    Number {
        what: Part,
        least: usize,
        most: usize,
    },
    /// Two digits, from 2000 on.
    ShortYear,
    /// Fraction of a second: that many digits at least and at most.
    Fraction {
        least: usize,
        most: usize,
    },
    /// Month name, short or full.
    MonthName {
        short: bool,
    },
    /// Day of the week, read over.
    WeekdayName {
        short: bool,
    },
    HalfDay,
    Offset {
        colon: bool,
        zulu: bool,
    },
    Optional(Vec<Item>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    /// Hour of half a day, 1 to 12.
    HourOfHalf,
    Minute,
    Second,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl DateFormat {
    /// Reads a `format` such as `yyyy-MM-dd HH:mm:ss||epoch_millis`.
    ///
    /// # Errors
    /// 400 `illegal_argument_exception` for a name or a pattern letter that is not known.
    pub fn new(source: &str) -> Result<Self, EsError> {
        let alternatives = source.split("||").map(Alternative::new).collect::<Result<Vec<_>, _>>()?;
        Ok(DateFormat { source: source.to_string(), alternatives })
    }

    /// The text the format was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Milliseconds since the epoch of `text`; what it leaves out is the earliest. None where no format fits.
    pub fn parse(&self, text: &str) -> Option<i64> {
        self.alternatives.iter().find_map(|alternative| alternative.parse(text, false))
    }

    /// As [`DateFormat::parse`], but the time of day that `text` leaves out is the latest: `2015-01` is the last
    /// millisecond of the first of January.
    pub fn parse_rounding_up(&self, text: &str) -> Option<i64> {
        self.alternatives.iter().find_map(|alternative| alternative.parse(text, true))
    }

    /// `milliseconds` since the epoch as the first format writes it, in UTC.
    pub fn format(&self, milliseconds: i64) -> String {
        match self.alternatives.first() {
            None | Some(Alternative::EpochMillis) => milliseconds.to_string(),
            Some(Alternative::EpochSecond) => milliseconds.div_euclid(1000).to_string(),
            Some(Alternative::Pattern(items)) => match jiff::Timestamp::from_millisecond(milliseconds) {
                Ok(timestamp) => {
                    let mut text = String::new();
                    print(items, &Offset::UTC.to_datetime(timestamp), &mut text);
                    text
                }
                Err(_) => milliseconds.to_string(),
            },
        }
    }
}

/// The pattern of a named format, where `S` stands for one to nine digits.
fn named(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("strict_").unwrap_or(name);
    Some(match name {
        "date_optional_time" | "dateOptionalTime" | "date_optional_time_nanos" => {
            "yyyy[-MM[-dd['T'HH[:mm[:ss[.S]]][XXX]]]]"
        }
        "basic_date" => "yyyyMMdd",
        "basic_date_time" => "yyyyMMdd'T'HHmmss.SXX",
        "basic_date_time_no_millis" => "yyyyMMdd'T'HHmmssXX",
        "date" | "year_month_day" | "yearMonthDay" => "yyyy-MM-dd",
        "date_hour" => "yyyy-MM-dd'T'HH",
        "date_hour_minute" => "yyyy-MM-dd'T'HH:mm",
        "date_hour_minute_second" => "yyyy-MM-dd'T'HH:mm:ss",
        "date_hour_minute_second_millis" | "date_hour_minute_second_fraction" => "yyyy-MM-dd'T'HH:mm:ss.S",
        "date_time" | "dateTime" => "yyyy-MM-dd'T'HH:mm:ss.SXXX",
        "date_time_no_millis" | "dateTimeNoMillis" => "yyyy-MM-dd'T'HH:mm:ssXXX",
        "year" => "yyyy",
        "year_month" | "yearMonth" => "yyyy-MM",
        _ => return None,
    })
}

impl Alternative {
    fn new(source: &str) -> Result<Self, EsError> {
        match source {
            "epoch_millis" => return Ok(Alternative::EpochMillis),
            "epoch_second" => return Ok(Alternative::EpochSecond),
            _ => {}
        }
        let invalid = |why: String| EsError::illegal_argument(format!("Invalid format: [{source}]: {why}"));
        let name = named(source);
        let pattern: Vec<char> = name.unwrap_or(source).chars().collect();
        let mut position = 0;
        let lenient = name.is_some() && !source.starts_with("strict_");
        let items = compile(&pattern, &mut position, name.is_some(), lenient).map_err(invalid)?;
        if position < pattern.len() {
            return Err(invalid("Pattern invalid as it contains ] without previous [".to_string()));
        }
        if items.is_empty() {
            return Err(invalid("the pattern is empty".to_string()));
        }
        Ok(Alternative::Pattern(items))
    }

    fn parse(&self, text: &str, round_up: bool) -> Option<i64> {
        match self {
            Alternative::EpochMillis => match text.parse() {
                Ok(milliseconds) => Some(milliseconds),
                Err(_) => text.parse::<f64>().ok().filter(|_| plain_number(text)).map(|ms| ms.floor() as i64),
            },
            Alternative::EpochSecond => match text.parse::<i64>() {
                Ok(seconds) => seconds.checked_mul(1000),
                Err(_) => {
                    text.parse::<f64>().ok().filter(|_| plain_number(text)).map(|s| (s * 1e3).floor() as i64)
                }
            },
            Alternative::Pattern(items) => {
                let mut parsed = Parsed::default();
                let rest = parsed.read(items, text)?;
                if rest.is_empty() { parsed.milliseconds(round_up) } else { None }
            }
        }
    }
}

fn plain_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-')
}

fn compile(pattern: &[char], position: &mut usize, named: bool, lenient: bool) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    while *position < pattern.len() {
        let letter = pattern[*position];
        match letter {
            '\'' => {
                let start = *position + 1;
                let end = (start..pattern.len())
                    .find(|at| pattern[*at] == '\'')
                    .ok_or("Pattern ends with an incomplete string literal")?;
                if end == start {
                    items.push(Item::Literal('\''));
                }
                items.extend(pattern[start..end].iter().map(|each| Item::Literal(*each)));
                *position = end + 1;
            }
            '[' => {
                *position += 1;
                items.push(Item::Optional(compile(pattern, position, named, lenient)?));
                if pattern.get(*position) == Some(&']') {
                    *position += 1;
                }
            }
            ']' => break,
            letter if letter.is_ascii_alphabetic() => {
                let count = pattern[*position..].iter().take_while(|each| **each == letter).count();
                items.push(item(letter, count, named, lenient)?);
                *position += count;
            }
            other => {
                items.push(Item::Literal(other));
                *position += 1;
            }
        }
    }
    Ok(items)
}

fn item(letter: char, count: usize, named: bool, lenient: bool) -> Result<Item, String> {
    let number = |what, most: usize| {
        let least = if count == 1 || (lenient && what != Part::Year) { 1 } else { count };
        Item::Number { what, least, most: if count == 1 { most } else { count } }
    };
    Ok(match (letter, count) {
        ('y' | 'u', 2) => Item::ShortYear,
        ('y' | 'u', _) => number(Part::Year, 4),
        ('M' | 'L', 1 | 2) => number(Part::Month, 2),
        ('M' | 'L', 3) => Item::MonthName { short: true },
        ('M' | 'L', 4) => Item::MonthName { short: false },
        ('d', 1 | 2) => number(Part::Day, 2),
        ('H', 1 | 2) => number(Part::Hour, 2),
        ('h', 1 | 2) => number(Part::HourOfHalf, 2),
        ('m', 1 | 2) => number(Part::Minute, 2),
        ('s', 1 | 2) => number(Part::Second, 2),
        ('S', 1) if named => Item::Fraction { least: 1, most: 9 },
        ('S', 1..=9) => Item::Fraction { least: count, most: count },
        ('a', 1) => Item::HalfDay,
        ('E', 1..=3) => Item::WeekdayName { short: true },
        ('E', 4) => Item::WeekdayName { short: false },
        ('Z', 1..=3) => Item::Offset { colon: named, zulu: named },
        ('X', 1..=3) => Item::Offset { colon: count == 3, zulu: true },
        ('x', 1..=3) => Item::Offset { colon: count == 3, zulu: false },
        ('z', 1..=3) => Item::Offset { colon: true, zulu: true },
        _ if "yuMLdHhmsSaEZXxz".contains(letter) => {
            return Err(format!("Too many pattern letters: {letter}"));
        }
        _ => return Err(format!("Unknown pattern letter: {letter}")),
    })
}

#[derive(Debug, Clone, Copy, Default)]
struct Parsed {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    minute: Option<i8>,
    second: Option<i8>,
    nanosecond: Option<i32>,
    afternoon: Option<bool>,
    offset: Option<Offset>,
}

impl Parsed {
    /// Reads `items` from the front of `text` and gives the rest; None where they do not fit.
    fn read<'t>(&mut self, items: &[Item], mut text: &'t str) -> Option<&'t str> {
        for item in items {
            text = match item {
                Item::Literal(literal) => text.strip_prefix(*literal)?,
                Item::Number { what, least, most } => {
                    let (value, rest) = digits(text, *least, *most)?;
                    self.set(*what, value)?;
                    rest
                }
                Item::ShortYear => {
                    let (value, rest) = digits(text, 2, 2)?;
                    self.set(Part::Year, value + 2000)?;
                    rest
                }
                Item::Fraction { least, most } => {
                    let (value, rest) = digits(text, *least, *most)?;
                    let exponent = 9 - u32::try_from(text.len() - rest.len()).ok()?;
                    self.nanosecond = Some(value.checked_mul(10_i32.pow(exponent))?);
                    rest
                }
                Item::MonthName { short } => {
                    let (index, rest) = name(text, &MONTHS, *short)?;
                    self.month = i8::try_from(index + 1).ok();
                    rest
                }
                Item::WeekdayName { short } => name(text, &WEEKDAYS, *short)?.1,
                Item::HalfDay => {
                    let half = text.get(..2)?;
                    self.afternoon = Some(match half {
                        "AM" => false,
                        "PM" => true,
                        _ => return None,
                    });
                    &text[2..]
                }
                Item::Offset { .. } => {
                    let (offset, rest) = offset(text)?;
                    self.offset = Some(offset);
                    rest
                }
                Item::Optional(items) => {
                    let mut attempt = *self;
                    match attempt.read(items, text) {
                        Some(rest) => {
                            *self = attempt;
                            rest
                        }
                        None => text,
                    }
                }
            };
        }
        Some(text)
    }

    fn set(&mut self, part: Part, value: i32) -> Option<()> {
        let small = i8::try_from(value).ok();
        match part {
            Part::Year => self.year = i16::try_from(value).ok(),
            Part::Month => self.month = Some(small.filter(|month| (1..=12).contains(month))?),
            Part::Day => self.day = Some(small.filter(|day| (1..=31).contains(day))?),
            Part::Hour => self.hour = Some(small.filter(|hour| *hour < 24)?),
            Part::HourOfHalf => self.hour = Some(small.filter(|hour| (1..=12).contains(hour))? % 12),
            Part::Minute => self.minute = Some(small.filter(|minute| *minute < 60)?),
            Part::Second => self.second = Some(small.filter(|second| *second < 60)?),
        }
        Some(())
    }

    fn milliseconds(&self, round_up: bool) -> Option<i64> {
        let last = |value: Option<i8>, last: i8| value.unwrap_or(if round_up { last } else { 0 });
        let year = self.year.unwrap_or(1970);
        // Elasticsearch 7.10 rounds the time of day up, never the month or the day (checked against 7.10.2).
        let month = self.month.unwrap_or(1);
        let day = self.day.unwrap_or(1);
        let hour = match (self.hour, self.afternoon) {
            (Some(hour), Some(true)) => hour + 12,
            (hour, _) => last(hour, 23),
        };
        let nanosecond = self.nanosecond.unwrap_or(if round_up { 999_000_000 } else { 0 });
        let (minute, second) = (last(self.minute, 59), last(self.second, 59));
        let date_time = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
        let timestamp = self.offset.unwrap_or(Offset::UTC).to_timestamp(date_time).ok()?;
        Some(timestamp.as_nanosecond().div_euclid(1_000_000) as i64)
    }
}

fn digits(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    Some((text[..count].parse().ok()?, &text[count..]))
}

fn name<'t>(text: &'t str, names: &[&str], short: bool) -> Option<(usize, &'t str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = if short { &name[..3] } else { name };
        text.strip_prefix(name).map(|rest| (index, rest))
    })
}

fn offset(text: &str) -> Option<(Offset, &str)> {
    for zone in ["Z", "UTC", "GMT"] {
        if let Some(rest) = text.strip_prefix(zone) {
            return Some((Offset::UTC, rest));
        }
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = digits(&text[1..], 2, 2)?;
    let (minutes, rest) = match digits(rest.strip_prefix(':').unwrap_or(rest), 2, 2) {
        Some((minutes, rest)) => (minutes, rest),
        None => (0, rest),
    };
    Some((Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?, rest))
}

fn print(items: &[Item], date: &DateTime, text: &mut String) {
    for item in items {
        match item {
            Item::Literal(literal) => text.push(*literal),
            Item::Number { what, least, most } => {
                let value = match what {
                    Part::Year => i32::from(date.year()),
                    Part::Month => i32::from(date.month()),
                    Part::Day => i32::from(date.day()),
                    Part::Hour => i32::from(date.hour()),
                    Part::HourOfHalf => i32::from((date.hour() + 11) % 12 + 1),
                    Part::Minute => i32::from(date.minute()),
                    Part::Second => i32::from(date.second()),
                };
                // A lenient name reads one digit but writes as many as the pattern has.
                let width = if *least < *most && *what != Part::Year && *least == 1 && *most == 2 {
                    2
                } else {
                    *least
                };
                text.push_str(&format!("{value:0width$}"));
            }
            Item::ShortYear => text.push_str(&format!("{:02}", date.year().rem_euclid(100))),
            Item::Fraction { least, most } => {
                let digits = if least == most { *most } else { 3 };
                text.push_str(&format!("{:09}", date.subsec_nanosecond())[..digits]);
            }
            Item::MonthName { short } => {
                let name = MONTHS[usize::from(date.month().unsigned_abs()) - 1];
                text.push_str(if *short { &name[..3] } else { name });
            }
            Item::WeekdayName { short } => {
                let name = WEEKDAYS[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
                text.push_str(if *short { &name[..3] } else { name });
            }
            Item::HalfDay => text.push_str(if date.hour() < 12 { "AM" } else { "PM" }),
            Item::Offset { zulu: true, .. } => text.push('Z'),
            Item::Offset { colon: true, .. } => text.push_str("+00:00"),
            Item::Offset { .. } => text.push_str("+0000"),
            Item::Optional(items) => print(items, date, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(format: &str, text: &str) -> Option<i64> {
        DateFormat::new(format).unwrap().parse(text)
    }

    #[test]
    fn the_default_format_reads_dates_times_and_milliseconds() {
        for (text, milliseconds) in [
            ("2015-01-01", 1_420_070_400_000),
            ("2015-01-01T12:10:30Z", 1_420_114_230_000),
            ("2015-01-01T12:10:30.123Z", 1_420_114_230_123),
            ("2015-01-01T12:10:30.123456+01:00", 1_420_110_630_123),
            ("2015", 1_420_070_400_000),
            ("1420070400001", 1_420_070_400_001),
            ("-1", -1),
            ("1969-12-31T23:59:59.999Z", -1),
        ] {
            assert_eq!(parse(DEFAULT_FORMAT, text), Some(milliseconds), "{text}");
        }
        for text in ["2015-13-01", "2015-1-1", "2015-02-30", "today", "", "2015-01-01T25:00"] {
            assert_eq!(parse(DEFAULT_FORMAT, text), None, "{text}");
        }
    }

    #[test]
    fn patterns_read_and_write_as_java_does() {
        for (format, text, milliseconds) in [
            ("yyyy-MM-dd HH:mm:ss", "2015-01-01 12:10:30", 1_420_114_230_000),
            ("dd/MMM/yyyy:HH:mm:ss Z", "01/Jan/2015:12:10:30 +0000", 1_420_114_230_000),
            ("yyyyMMdd", "20150101", 1_420_070_400_000),
            ("MM/dd/yyyy hh:mm:ss a", "01/01/2015 01:10:30 PM", 1_420_117_830_000),
            ("strict_date_optional_time", "2015-01-01T12:10:30.000Z", 1_420_114_230_000),
            ("date_optional_time", "2015-01-01T12:10:30.000Z", 1_420_114_230_000),
            ("epoch_second", "1420114230", 1_420_114_230_000),
        ] {
            assert_eq!(parse(format, text), Some(milliseconds), "{format} {text}");
            assert_eq!(DateFormat::new(format).unwrap().format(milliseconds), text, "{format}");
        }
        assert_eq!(parse("date_optional_time", "2015-1-1"), Some(1_420_070_400_000));
    }

    #[test]
    fn rounding_up_fills_with_the_end_of_the_day() {
        let format = DateFormat::new(DEFAULT_FORMAT).unwrap();
        assert_eq!(format.parse_rounding_up("2015-02"), format.parse("2015-02-01T23:59:59.999Z"));
        assert_eq!(format.parse_rounding_up("2015-01-01T10"), format.parse("2015-01-01T10:59:59.999Z"));
    }

    #[test]
    fn unknown_letters_are_refused_by_name() {
        let error = DateFormat::new("yyyy-qq").unwrap_err();
        assert_eq!(error.reason, "Invalid format: [yyyy-qq]: Unknown pattern letter: q");
    }
}
