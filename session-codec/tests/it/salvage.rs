//! Elements out of damaged bytes, against documents whose elements are known.

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
