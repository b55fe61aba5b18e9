//! A git repository over HTTP on the loopback interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// Serves until the test is over. Paths: `/tracks` is the repository, `/moved/tracks` redirects to it, `/elsewhere` redirects
/// to what is none, `/private` asks for credentials, `/page` is a web page, `/broken` breaks off, all else is not there.
pub struct HttpServer {
    pub address: String,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl HttpServer {
    pub fn start(repository: &Path) -> HttpServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (repository, log) = (repository.to_owned(), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (repository, log) = (repository.clone(), Arc::clone(&log));
                // A client may go away at any time.
                std::thread::spawn(move || drop(answer(stream, repository, &log)));
            }
        });
        HttpServer { address, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

fn answer(mut stream: TcpStream, repository: PathBuf, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut length, mut protocol) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end();
        let Some((name, value)) = header.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "git-protocol" => protocol = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut parts = line.split(' ');
    let request = format!("{} {}", parts.next().unwrap(), parts.next().unwrap());
    log.lock().unwrap().push(request.clone());

    let refs = "/info/refs?service=git-upload-pack";
    let response = match request.as_str() {
        _ if request == format!("GET /tracks{refs}") => {
            let mut text = if protocol.contains("version=2") {
                Vec::new()
            } else {
                b"001e# service=git-upload-pack\n0000".to_vec()
            };
            text.extend(upload_pack(&repository, &protocol, &["--advertise-refs"], b""));
            response("200 OK", "Content-Type: application/x-git-upload-pack-advertisement", &text)
        }
        "POST /tracks/git-upload-pack" => {
            let text = upload_pack(&repository, &protocol, &[], &body);
            response("200 OK", "Content-Type: application/x-git-upload-pack-result", &text)
        }
        _ if request == format!("GET /broken{refs}") => {
            let text = upload_pack(&repository, &protocol, &["--advertise-refs"], b"");
            response("200 OK", "Content-Type: application/x-git-upload-pack-advertisement", &text)
        }
        "POST /broken/git-upload-pack" => {
            let mut text = upload_pack(&repository, &protocol, &[], &body);
            if body.windows(13).any(|window| window == b"command=fetch") {
                // Says more than it sends.
                text.truncate(text.len() - 20);
            }
            response("200 OK", "Content-Type: application/x-git-upload-pack-result", &text)
        }
        _ if request == format!("GET /moved/tracks{refs}") => {
            response("301 Moved", &format!("Location: /tracks{refs}"), b"")
        }
        _ if request.starts_with("GET /elsewhere") => response("302 Found", "Location: /page", b""),
        _ if request.starts_with("GET /page") => response("200 OK", "Content-Type: text/html", b"<html>"),
        _ if request.starts_with("GET /private") => {
            response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"tracks\"", b"")
        }
        _ => response("404 Not Found", "Content-Type: text/plain", b"no"),
    };
    stream.write_all(&response)
}

fn response(status: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn upload_pack(repository: &Path, protocol: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .args(["upload-pack", "--stateless-rpc"])
        .args(arguments)
        .arg(repository)
        .env("GIT_PROTOCOL", protocol)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().stdout
}
