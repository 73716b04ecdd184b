//! All of the network that the browser has: a proxy that answers for its own pages and remembers who was asked.
//!
//! Owns the sockets; must not know what is in a page. Nothing goes on to a real network, not even what the browser asks for
//! itself.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// The host of its own pages.
pub(super) const PAGES: &str = "pages.invalid";

/// Longest request line and head that is read.
const LONGEST: usize = 64 << 10;

/// A network that ends with the process.
pub(super) struct Network {
    port: u16,
    /// Verb and address of each request: `GET http://host/path`, `CONNECT host:443`.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Network {
    /// Serves pages, by their paths.
    pub(super) fn open(pages: Vec<(String, String)>) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("open a local socket")?;
        let port = listener.local_addr().context("open a local socket")?.port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (pages, log) = (Arc::new(pages), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, log) = (Arc::clone(&pages), Arc::clone(&log));
                // A browser opens connections that it does not use: none may hold up another.
                thread::spawn(move || answer(stream, &pages, &log));
            }
        });
        Ok(Self { port, requests })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The paths of its own pages that were asked for, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        let own = format!("GET http://{PAGES}");
        let requests = lock(&self.requests);
        let paths = requests.iter().filter_map(|one| one.strip_prefix(&own));
        paths.map(str::to_owned).collect()
    }

    /// The hosts with this ending that were asked for anything.
    pub(super) fn hosts(&self, ending: &str) -> BTreeSet<String> {
        let requests = lock(&self.requests);
        let hosts = requests.iter().filter_map(|request| {
            let address = request.split(' ').nth(1)?;
            let host = address.strip_prefix("http://").unwrap_or(address);
            let host = host.split(['/', ':', '?']).next()?;
            host.ends_with(ending).then(|| host.to_owned())
        });
        hosts.collect()
    }
}

fn lock(requests: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one request, remembers it, and answers with a page or that there is none. A connection that fails asked nothing.
fn answer(mut stream: TcpStream, pages: &[(String, String)], log: &Mutex<Vec<String>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < LONGEST {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    let Some((request, _version)) = line.rsplit_once(' ') else {
        return;
    };
    lock(log).push(request.to_owned());
    let path = request.strip_prefix(&format!("GET http://{PAGES}"));
    let page = path.and_then(|path| pages.iter().find(|(own, _)| own == path));
    let (status, body) = match page {
        Some((_, body)) => ("200 OK", body.as_str()),
        None => ("404 Not Found", ""),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(network: &Network, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, network.port())).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_answers_for_its_pages_and_remembers_all_hosts() {
        let network = Network::open(vec![("/".to_owned(), "page".to_owned())]).unwrap();
        let page = ask(&network, "GET http://pages.invalid/ HTTP/1.1\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("\r\n\r\npage"));
        for request in [
            "GET http://a.mark.invalid/x HTTP/1.1\r\n\r\n",
            "CONNECT b.mark.invalid:443 HTTP/1.1\r\n\r\n",
            "POST http://c.mark.invalid:80/ HTTP/1.1\r\n\r\n",
            "GET http://elsewhere.invalid/?.mark.invalid HTTP/1.1\r\n\r\n",
        ] {
            assert!(ask(&network, request).starts_with("HTTP/1.1 404"));
        }
        assert_eq!(network.asked(), ["/"]);
        let hosts: Vec<String> = network.hosts(".mark.invalid").into_iter().collect();
        assert_eq!(
            hosts,
            ["a.mark.invalid", "b.mark.invalid", "c.mark.invalid"]
        );
    }
}
