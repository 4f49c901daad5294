//! A body whose chunks come one after the other, each asked for when the one before is on its way.

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

type Step<S> = Pin<Box<dyn Future<Output = Option<(Bytes, S)>> + Send>>;

struct Flow<S, F> {
    next: F,
    step: Option<Step<S>>,
}

/// A body of the chunks that `next` makes of a state and the state behind it, until it answers `None`.
pub(crate) fn body<S, F, R>(state: S, next: F) -> Body
where
    S: Send + 'static,
    F: Fn(S) -> R + Send + Unpin + 'static,
    R: Future<Output = Option<(Bytes, S)>> + Send + 'static,
{
    let boxed = move |state: S| -> Step<S> { Box::pin(next(state)) };
    let step = Some(boxed(state));
    Body::new(Flow { next: boxed, step })
}

impl<S, F> http_body::Body for Flow<S, F>
where
    F: Fn(S) -> Step<S> + Unpin,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(step) = self.step.as_mut() else { return Poll::Ready(None) };
        match step.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.step = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some((bytes, state))) => {
                self.step = Some((self.next)(state));
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }
}
