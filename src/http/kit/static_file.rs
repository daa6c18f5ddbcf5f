//! Files in the binary: pages, scripts and the API's document.
//!
//! All connections share their bytes, which are sent in pieces: the web server copies its input before sending it, so
//! whole files for many slow clients would fill the memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};

/// How many bytes of a file are copied at a time.
const PIECE_BYTES: usize = 16 * 1024;

struct Pieces(Bytes);

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(self.0.split_to(length))))
    }
}

/// Answers with a file.
pub fn file(mut response: HttpResponseBuilder, media_type: &str, bytes: Bytes) -> HttpResponse {
    response.content_type(media_type).body(Pieces(bytes))
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_file_is_sent_in_pieces_of_the_shared_bytes() {
        let bytes = Bytes::from(vec![b'x'; PIECE_BYTES + 1]);
        let mut body = Pieces(bytes.clone());
        assert_eq!(body.size(), BodySize::Sized(16_385));
        let mut next = || Pin::new(&mut body).poll_next(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Some(Ok(first))) = next() else { panic!("a piece") };
        assert_eq!((first.len(), first.as_ptr()), (PIECE_BYTES, bytes.as_ptr()));
        let Poll::Ready(Some(Ok(last))) = next() else { panic!("a piece") };
        assert_eq!(last.len(), 1);
        assert!(matches!(next(), Poll::Ready(None)));
    }
}
