//! A minimal HTTP/1.1 client, so that the service is measured and not the client: requests are prepared bytes, and of a
//! response only the status and the length are parsed.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Far larger than any response used here.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// One keep-alive connection, with one request at a time.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

/// The parsed head of a response, as positions in the received bytes.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    body_start: usize,
    end: usize,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(8 * 1024) })
    }

    /// Sends a request and reads its whole response. Returns the status.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match head(&self.received)? {
                Some(head) if head.end == self.received.len() => return Ok(head.status),
                Some(head) if head.end < self.received.len() => return Err(invalid("more than one answer")),
                _ if self.received.len() > MAX_ANSWER_BYTES => return Err(invalid("an answer without end")),
                _ => {}
            }
        }
    }

    /// The body of the last response.
    pub fn body(&self) -> &[u8] {
        let start = head(&self.received).ok().flatten().map_or(0, |head| head.body_start);
        self.received.get(start..).unwrap_or_default()
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Parses the head of a response; `None` until it is complete.
fn head(received: &[u8]) -> io::Result<Option<Head>> {
    let Some(header_bytes) = find(received, b"\r\n\r\n") else { return Ok(None) };
    let header = received.get(..header_bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let mut lines = header.ok_or_else(|| invalid("a header that is no text"))?.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let length = content_length(lines);
    let (Some(status), Some(length)) = (status, length) else { return Err(invalid("not an HTTP answer")) };
    let body_start = header_bytes.saturating_add(4);
    Ok(Some(Head { status, body_start, end: body_start.saturating_add(length) }))
}

/// The body length from the header lines; `None` if it is missing or invalid.
pub fn content_length<'l>(mut lines: impl Iterator<Item = &'l str>) -> Option<usize> {
    let wanted = ["content-length", "transfer-encoding"];
    let line = lines.find_map(|line| {
        line.split_once(':').filter(|(name, _)| wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
    });
    line.map_or(Some(0), |(_, value)| value.trim().parse().ok())
}

/// The position of `part`.
pub fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn an_answer_is_complete_with_the_last_byte_of_its_body() {
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        assert_eq!(head(answer).unwrap(), Some(Head { status: 400, body_start: 53, end: 58 }));
        assert_eq!(head(&answer[..50]).unwrap(), None);
        assert_eq!(answer.len(), 58);
    }

    #[test]
    fn what_cannot_be_understood_is_an_error_and_not_an_answer() {
        for answer in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 2\r\n\r\n",
        ] {
            assert!(head(answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[tokio::test]
    async fn an_answer_in_pieces_is_put_together() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut request = [0_u8; 4];
            stream.read_exact(&mut request).await.unwrap();
            for piece in ["HTTP/1.1 200 OK\r", "\ncontent-len", "gth: 4\r\n\r\n", "do", "ne"] {
                stream.write_all(piece.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
            request
        });
        let mut client = Client::connect(address).await.unwrap();
        assert_eq!(client.exchange(b"ping").await.unwrap(), 200);
        assert_eq!(client.body(), b"done");
        assert_eq!(&server.await.unwrap(), b"ping");
    }
}
