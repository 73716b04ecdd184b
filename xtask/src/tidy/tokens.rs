//! Just enough of Rust's lexer to tell code from comments, strings and test modules.
//!
//! Owns tokens and patterns of tokens; must not know a rule. It judges source that rustc has accepted or will judge itself, so
//! it needs no error.

/// A word, a number, `::`, or one other character. A string or character literal is the token `"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// A piece of source: how long it is, and whether and how it is code.
enum Piece {
    Blank(usize),
    Literal(usize),
    Code(usize),
}

/// Returns the tokens of a file without its comments.
pub(crate) fn lex(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while !rest.is_empty() {
        let piece = piece(rest);
        let (Piece::Blank(length) | Piece::Literal(length) | Piece::Code(length)) = piece;
        let (token, after) = rest.split_at(length);
        match piece {
            Piece::Blank(_) => {}
            Piece::Literal(_) => tokens.push(Token { text: "\"", line }),
            Piece::Code(_) => tokens.push(Token { text: token, line }),
        }
        line += token.bytes().filter(|&byte| byte == b'\n').count();
        rest = after;
    }
    tokens
}

/// Returns what the text, which is not empty, begins with.
fn piece(rest: &str) -> Piece {
    let mut characters = rest.chars();
    let first = characters.next().unwrap_or(' ');
    let second = characters.next();
    match first {
        '/' if second == Some('/') => Piece::Blank(rest.find('\n').unwrap_or(rest.len())),
        '/' if second == Some('*') => Piece::Blank(block_comment(rest)),
        '"' => Piece::Literal(quoted(rest, 0)),
        '\'' => quote(rest).map_or(Piece::Code(1), Piece::Literal),
        ':' if second == Some(':') => Piece::Code(2),
        _ if first == '_' || first.is_alphanumeric() => word(rest),
        _ if first.is_whitespace() => Piece::Blank(first.len_utf8()),
        _ => Piece::Code(first.len_utf8()),
    }
}

/// A word, or a literal with a prefix: `r"…"`, `b'…'`, `br#"…"#`, `c"…"`.
fn word(rest: &str) -> Piece {
    let end = rest
        .find(|c: char| c != '_' && !c.is_alphanumeric())
        .unwrap_or(rest.len());
    let after = &rest[end..];
    let literal = match &rest[..end] {
        "b" if after.starts_with('\'') => quote(after).map(|length| end + length),
        "b" | "c" if after.starts_with('"') => Some(quoted(rest, end)),
        "r" | "br" | "cr" => raw_string(rest, end),
        _ => None,
    };
    literal.map_or(Piece::Code(end), Piece::Literal)
}

fn raw_string(rest: &str, prefix: usize) -> Option<usize> {
    let hashes = rest[prefix..].bytes().take_while(|&b| b == b'#').count();
    let open = prefix + hashes;
    if rest.as_bytes().get(open) != Some(&b'"') {
        return None;
    }
    let closing = format!("\"{}", "#".repeat(hashes));
    let body = &rest[open + 1..];
    Some(
        body.find(&closing)
            .map_or(rest.len(), |found| open + 1 + found + closing.len()),
    )
}

fn quoted(rest: &str, open: usize) -> usize {
    let bytes = rest.as_bytes();
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Returns the length of the character literal that begins here; a lifetime is none.
fn quote(rest: &str) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    let (start, first) = characters.next()?;
    if first == '\\' {
        // The escaped character itself may be an apostrophe.
        let body = rest.get(start + 2..)?;
        return body.find('\'').map(|found| start + 2 + found + 1);
    }
    let (end, second) = characters.next()?;
    (second == '\'').then_some(end + 1)
}

fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match &bytes[at..bytes.len().min(at + 2)] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    rest.len()
}

/// Returns the tokens without the items under `#[cfg(test)]`, `#[cfg(all(test, …))]` and `#[cfg(doctest)]`.
pub(crate) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    const PREFIXES: [&str; 3] = [
        "# [ cfg ( test )",
        "# [ cfg ( all ( test",
        "# [ cfg ( doctest )",
    ];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if PREFIXES
            .iter()
            .any(|prefix| starts_with(&tokens[at..], prefix))
        {
            at += item(&tokens[at..]);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// Returns the length of an item with its attributes: to the end of its block, or to its semicolon.
fn item(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" if depth <= 1 => return at + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Says whether the tokens begin with a pattern, its tokens parted by spaces.
pub(crate) fn starts_with(tokens: &[Token<'_>], pattern: &str) -> bool {
    let mut rest = tokens.iter();
    pattern
        .split(' ')
        .all(|part| rest.next().is_some_and(|token| token.text == part))
}

/// Returns the lines on which a pattern occurs. A pattern `a :: b` also matches the group `a::{…, b, …}` of an import, and
/// none matches a path that begins in the crate itself.
pub(crate) fn lines(tokens: &[Token<'_>], pattern: &str) -> Vec<usize> {
    let mut found: Vec<usize> = starts(tokens, pattern).map(|at| tokens[at].line).collect();
    if let Some((head, leaf)) = pattern.rsplit_once(" :: ") {
        let opening = format!("{head} :: {{");
        let brace = opening.split(' ').count() - 1;
        let groups = starts(tokens, &opening);
        found.extend(groups.filter_map(|at| leaf_in_group(&tokens[at + brace..], leaf)));
    }
    found
}

/// Returns where a pattern occurs, other than in a path of the crate's own.
fn starts<'a>(tokens: &'a [Token<'_>], pattern: &'a str) -> impl Iterator<Item = usize> + 'a {
    let first = pattern.split(' ').next().unwrap_or_default();
    let own = |at: usize| {
        at >= 2
            && tokens[at - 1].text == "::"
            && ["crate", "super", "self"].contains(&tokens[at - 2].text)
    };
    // Most tokens are ruled out by one comparison.
    let likely = tokens
        .iter()
        .enumerate()
        .filter(move |(_, token)| token.text == first);
    likely
        .map(|(at, _)| at)
        .filter(move |&at| starts_with(&tokens[at..], pattern) && !own(at))
}

/// Returns the line of a leaf directly inside the group that opens here.
fn leaf_in_group(tokens: &[Token<'_>], leaf: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = "";
    for token in tokens {
        if depth == 1 && token.text == leaf && ["{", ","].contains(&before) {
            return Some(token.line);
        }
        match token.text {
            "{" => depth += 1,
            "}" if depth == 1 => return None,
            "}" => depth -= 1,
            _ => {}
        }
        before = token.text;
    }
    None
}

#[cfg(test)]
mod tests;
