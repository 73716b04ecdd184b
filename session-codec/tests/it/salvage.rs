//! Elements out of damaged bytes, against documents whose elements are known.

use std::ops::Range;

use proptest::{collection, prelude::*};
use session_codec::Codec;

/// The texts of the elements of `a` that are found.
fn found(json: &[u8]) -> Vec<String> {
    let salvaged = Codec::new().salvage(json, &["a", "b"]);
    let member = salvaged.members.iter().find(|member| member.name == "a");
    let elements = member.and_then(|member| member.elements.clone());
    elements
        .unwrap_or_default()
        .into_iter()
        .map(|range| String::from_utf8_lossy(&json[range]).into_owned())
        .collect()
}

#[test]
fn all_before_the_first_fault_is_found() {
    let json = br#"{"x":1,"a":[{"n":1},{"n":[2,{}]},{"n":3}],"b":[]}"#;
    let ends = [19, 32, 40];
    for cut in 0..json.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(found(&json[..cut]).len(), whole, "{cut}");
    }
}

#[test]
fn sync_is_found_behind_a_fault_and_nested_values_are_no_elements() {
    let json = br#"{"a":[{"n":1},{"n":[{"n":2},{"n":3}],!},{"n":4}],"b":[{"n":5}]}"#;
    assert_eq!(found(json), [r#"{"n":1}"#, r#"{"n":4}"#]);
}

#[test]
fn an_element_of_an_uncertain_array_is_lost() {
    // The fault may hide the end of `a`: nothing says whose the last element is.
    let json = br#"{"a":[{"n":1},!]!"b":[{"n":2},{"n":5}]}"#;
    assert_eq!(found(json), [r#"{"n":1}"#]);
}

#[test]
fn what_a_full_decode_refuses_is_lost_alone() {
    assert_eq!(found(br#"{"a":[1,"\ud800",1e999,2]}"#), ["1", "2"]);
}

#[test]
fn what_is_behind_the_document_is_lost() {
    let salvaged = Codec::new().salvage(b"{\"a\":[1]}\0x", &["a"]);
    assert_eq!(salvaged.lost, vec![9..11]);
}

/// A document of messages with arrays, objects and numbers inside, and where the elements of its arrays lie.
fn conversation(messages: usize, tools: usize) -> (Vec<u8>, [Vec<Range<usize>>; 2]) {
    let mut json =
        br#"{"id":"s","tags":["x",["y"],{"k":2},{"k":3}],"title":"a, {b}, [c], \"d\":","a":["#
            .to_vec();
    let mut places = [Vec::new(), Vec::new()];
    let mut put = |json: &mut Vec<u8>, array: usize, n: usize, text: String| {
        if n > 0 {
            json.push(b',');
        }
        places[array].push(json.len()..json.len() + text.len());
        json.extend(text.into_bytes());
    };
    for n in 0..messages {
        let part =
            format!(r#"{{"type":"text","text":"{n}: so, \"{{\", [1, 2], {{\\\"role\\\":1}}, "}}"#);
        let call = format!(
            r#"{{"type":"call","input":{{"list":[{n},7,"x",{{"part":"y"}}],"k":[[{{}}],3]}}}}"#
        );
        let text = match n % 3 {
            0 => format!(r#"{{"role":"user","content":[{part}]}}"#),
            1 => format!(r#"{{"role":"tool","content":[{part},{call},{part}],"n":{n}}}"#),
            _ => format!(r#"{{"n":[{n}],"role":"model","content":[{call},{part}]}}"#),
        };
        put(&mut json, 0, n, text);
    }
    json.extend(br#"],"more":{"x":[1,{"part":"z"}]},"b":["#);
    for n in 0..tools {
        put(
            &mut json,
            1,
            n,
            format!(r#"{{"name":"t{n}","input":[{n},{{}}]}}"#),
        );
    }
    json.extend(br#"],"agent":"x"}"#);
    (json, places)
}

/// Garbage behind a document.
const TAILS: [&[u8]; 4] = [&[0; 9], b"\xff\xfe", b"\n{\"id\":\"s\",", b"1,[2]}"];

/// What is found of an array, as places.
fn places(json: &[u8], array: &str) -> Vec<Range<usize>> {
    let salvaged = Codec::new().salvage(json, &["a", "b"]);
    let members = salvaged.members.into_iter();
    let of = members.filter(|member| member.name == array);
    of.flat_map(|member| member.elements.unwrap_or_default())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_is_whole_between_faults_is_found_and_nothing_else(
        messages in 12..30_usize, tools in 4..8_usize, cut in 0..3000_usize,
        faults in collection::vec((0..1000_usize, 1..120_usize, any::<bool>()), 1..4),
        tail in 0..8_usize,
    ) {
        let (mut json, elements) = conversation(messages, tools);
        let mut damaged = vec![false; json.len()];
        for (place, length, is_zero) in faults {
            let at = (json.len() - 1) * place / 1000;
            let to = if is_zero { (at + length).min(json.len()) } else { at + 1 };
            json[at..to].fill(if is_zero { 0 } else { b'!' });
            damaged[at..to].fill(true);
        }
        let length = json.len() * cut.min(1000) / 1000;
        json.truncate(length);
        let has_tail = cut >= 1000 && tail < TAILS.len();
        if has_tail {
            let tail = TAILS[tail];
            json.extend_from_slice(tail);
            damaged.resize(json.len(), false);
        }
        // What was damaged at its beginning and at its end may have nothing left by which an element could be told, or by
        // which its array could be named.
        let first = damaged[..length].iter().position(|is| *is).unwrap_or(length);
        let last = damaged.iter().rposition(|is| *is).filter(|_| cut >= 1000);
        let is_certain = |place: &Range<usize>| {
            place.end < first || last.is_some_and(|last| place.start > last + 1)
        };
        let key = json.windows(5).position(|part| part == br#""b":["#);
        let is_key_certain = key.is_some_and(|at| last.is_some_and(|last| at > last + 1));
        let are_both = elements.iter().all(|all| all.iter().any(is_certain));
        // Damaged at its beginning and cut short behind an object, an element looks like the rest of a document.
        let cut_in = elements.iter().flatten().find(|place| place.contains(&(length.max(1) - 1)));
        let is_open = json.ends_with(b"}")
            && cut_in.is_some_and(|place| damaged[place.start..length].contains(&true));
        // What is another name is no damage, and a first element with another name is not like those that follow.
        let texts: Vec<_> = json.split(|byte| *byte == b'"').collect();
        let is_renamed = texts.windows(2).any(|pair| {
            pair[1].starts_with(b":") && pair[0].contains(&b'!') && (has_tail || pair[0] == b"!")
        });
        for array in 0..2 {
            let found = places(&json, ["a", "b"][array]);
            let all = &elements[array];
            prop_assert!(found.is_sorted_by_key(|place| place.start));
            if is_open {
                continue;
            }
            let is_one = |place: &Range<usize>| all.contains(place) || damaged[place.clone()].contains(&true);
            prop_assert!(found.iter().all(is_one), "{found:?} of {array}");
            let key = [br#""a":["#, br#""b":["#][array];
            let has_key = json.windows(5).any(|part| part == key);
            let is_told = has_key && (are_both || (array == 0 && is_key_certain));
            if is_renamed || !is_told || !all.iter().any(is_certain) {
                continue;
            }
            let missing = all.iter().find(|place| {
                place.end <= length && !damaged[(*place).clone()].contains(&true) && !found.contains(place)
            });
            prop_assert!(missing.is_none(), "{missing:?} is missing of {array}");
        }
    }
}

/// The lost quote of the string before an array: the array's own name begins with what closed that string.
#[test]
fn a_name_whose_first_quote_ended_a_damaged_string_is_found() {
    for json in [
        &br#"{"id":"s","x":"y!,"a":[{"n":1},{"n":2}],"b":[],"z":1}"#[..],
        br#"{"id":"s","x":"y!,"a":[{"n":1},{"n":2}],"b":[],"z":1"#,
        br#"{"id":"s","x":"y!,"a":[{"n":1},{"n":2},{"n":!}],"b":[{"n":3}],"z":1}"#,
    ] {
        let text = String::from_utf8_lossy(json);
        assert_eq!(found(json), [r#"{"n":1}"#, r#"{"n":2}"#], "{text}");
        let salvaged = Codec::new().salvage(json, &["a", "b"]);
        let names: Vec<_> = salvaged.members.iter().map(|member| &member.name).collect();
        assert_eq!(names, ["id", "a", "b", "z"], "{text}");
    }
}

/// Garbage behind a document costs nothing of what stands behind a fault in it.
#[test]
fn what_is_behind_a_fault_and_before_garbage_is_found() {
    let whole = [
        r#"{"role":"x","n":1}"#,
        r#"{"role":"x","n":2}"#,
        r#"{"role":"x","n":3}"#,
    ];
    let [one, two, three] = whole;
    for damaged in ["{\"role\":\0\0}", "{\"role\":\"x\",!}", "{\"ro\0\0"] {
        for tail in ["", "\0\0\0\0", "x", "\n{\"id\":", "}}", "]"] {
            let json = format!(r#"{{"id":"s","a":[{one},{damaged},{two},{three}],"z":1}}{tail}"#);
            assert_eq!(found(json.as_bytes()), whole, "{json}");
            let salvaged = Codec::new().salvage(json.as_bytes(), &["a"]);
            assert!(salvaged.members.iter().any(|member| member.name == "z"));
            // Nothing is known of such elements but that they stand where the array was begun; what ends in brackets may be cut.
            if tail.ends_with(['}', ']']) {
                continue;
            }
            let json = format!(r#"{{"id":"s","a":[{damaged},{two},{three}],"z":1}}{tail}"#);
            assert_eq!(found(json.as_bytes()), whole[1..], "{json}");
        }
    }
}

/// What goes through all members again for each part between two faults does not come back from this.
#[test]
fn many_parts_behind_many_members_are_put_together_soon() {
    let members: Vec<String> = (0..20_000).map(|n| format!("\"{n}\":1")).collect();
    let parts = vec![r#"{"role":1},!"#; 20_000].join(",");
    let json = format!(
        r#"{{"id":"s",{},"a":[{{"role":1}},{parts}"#,
        members.join(",")
    );
    assert_eq!(found(json.as_bytes()).len(), 20_001);
}

/// A search that reads everything again from each comma does not come back from this.
#[test]
fn many_values_behind_two_faults_are_told_apart_soon() {
    let numbers = vec!["[7],{}"; 50_000].join(",");
    let nested = format!(r#"{{"role":"x","content":[!{numbers}]}}"#);
    let whole = r#"{"role":"y","content":[]}"#;
    let all = [whole, &nested, whole, whole, &nested, whole].join(",");
    let json = format!(r#"{{"a":[{all},{{"role":"#);
    assert_eq!(found(json.as_bytes()), [whole; 4]);
}

/// The same of a text with commas: a file that ends in the output of a tool is the most ordinary damage.
#[test]
fn a_long_text_that_is_cut_short_is_given_up_soon() {
    let whole = r#"{"role":"user","content":"hi"}"#;
    let rows = "7.25,abc,[1],2024-01-01, {}\\n".repeat(100_000);
    let cut = format!(r#"{{"id":"s","a":[{whole},{{"role":"tool","content":"{rows}"#);
    assert_eq!(found(cut.as_bytes()), [whole]);
    let rest = format!("{cut}\x01\"}},{whole}]}}");
    assert_eq!(found(rest.as_bytes()), [whole; 2]);
}

/// What stands in a member that no array was asked for is no element, even if only one array could go on.
#[test]
fn values_in_a_damaged_member_are_no_elements() {
    for json in [
        &br#"{"id":"s","tags":["x",!,"y","z"],"a":[{"n":1}]}"#[..],
        br#"{"id":"s","tags":[{"k":!},{"k":2},{"k":3}],"a":[{"n":1}]}"#,
        br#"{"id":"s","a":[{"n":1}],"tags":["x",!,"y","z"],"z":1}"#,
        br#"{"id":"s","tags":["x",!,"y","z"],"a":[{"n":1},{"n":"#,
    ] {
        assert_eq!(places(json, "b"), [], "{}", String::from_utf8_lossy(json));
        assert_eq!(places(json, "a").len(), 1);
    }
}

/// Nor do elements go to an array of which the others are not like them.
#[test]
fn elements_that_are_not_like_those_of_an_array_are_not_put_into_it() {
    let json = br#"{"id":"s","a":[{"role":1,"c":1},{"ro"t":1},{"t":2},{"t":3}],"z":1}"#;
    assert_eq!(places(json, "a").len(), 1);
}

#[test]
fn a_second_document_of_the_same_id_adds_what_the_first_one_lacks() {
    let (one, two, three) = (r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#);
    let first = format!(r#"{{"id":"s","a":[{one},{one}]}}"#);
    let second = format!(r#"{{"id":"s","t":7,"a":[{one},{one},{one},{two},{three}]}}"#);
    let union = [one, one, one, two, three];
    assert_eq!(found(format!("{first}{second}").as_bytes()), union);
    assert_eq!(found(format!("{first}\n\0\0{second}\0").as_bytes()), union);
    // The first may end anywhere, and the second too.
    let cut = &first[..first.len() - 4];
    assert_eq!(found(format!("{cut}{second}").as_bytes()), union);
    let cut = &second[..second.len() - 4];
    assert_eq!(found(format!("{first}{cut}").as_bytes()), union[..4]);
    let other = second.replace(r#""id":"s""#, r#""id":"other""#);
    assert_eq!(found(format!("{first}{other}").as_bytes()), [one, one]);
    // What is left of a longer document that was written over is none.
    assert_eq!(found(format!("{first}1,{three}]}}").as_bytes()), [one, one]);
    let again = format!("{first}\n{first}1,{three}]}}");
    assert_eq!(found(again.as_bytes()), [one, one]);
}
