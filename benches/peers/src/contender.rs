//! A contender: how its service is built, what it is asked, and how one is driven.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::Future,
    hint::black_box,
    pin::Pin,
    time::{Duration, Instant},
};

use futures_executor::block_on;
use http::{Request, Response, StatusCode};
use tower::{Service, ServiceExt};

use crate::{
    case::{Case, Group},
    counting::{self, Allocated},
    work::Callers,
};

type Building = Pin<Box<dyn Future<Output = Box<dyn Drive>>>>;

/// What a contender is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the others are measured against: no middleware, or an immediate answer.
    Floor,
    /// Written by hand.
    ByHand,
    /// The least that can be done.
    Optimum,
    /// Another crate.
    Peer,
    /// This crate.
    Ours,
}

/// Something that does the work.
pub struct Contender {
    pub group: Group,
    pub name: &'static str,
    pub kind: Kind,
    /// What it does not do, or does otherwise.
    pub note: &'static str,
    /// Whether a request takes milliseconds.
    pub is_slow: bool,
    /// Cases that it answers otherwise.
    others: BTreeMap<Case, StatusCode>,
    asked: Box<dyn Fn(Case) -> bool>,
    build: Box<dyn Fn() -> Building>,
}

impl Contender {
    /// A contender whose service is made by `build`, and asked what `request` makes of a case; nothing if it has no
    /// notion of that case.
    pub fn new<S, B, R, F>(
        group: Group,
        kind: Kind,
        name: &'static str,
        build: impl Fn() -> F + 'static,
        request: fn(&mut Callers, Case) -> Option<Request<B>>,
    ) -> Self
    where
        F: Future<Output = S> + 'static,
        S: Service<Request<B>, Response = Response<R>, Error: Debug> + Clone + Send + 'static,
        B: 'static,
        R: 'static,
    {
        let asked = move |case| request(&mut Callers::new(), case).is_some();
        let build = move || -> Building {
            let service = build();
            Box::pin(async move {
                let driver: Box<dyn Drive> =
                    Box::new(Driver { service: service.await, callers: Callers::new(), request });
                driver
            })
        };
        let (asked, build) = (Box::new(asked), Box::new(build));
        Self { group, name, kind, note: "", is_slow: false, others: BTreeMap::new(), asked, build }
    }

    /// What the table should say about it.
    pub fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// A request takes milliseconds.
    pub fn slow(self) -> Self {
        Self { is_slow: true, ..self }
    }

    /// It answers this case with another status than is right.
    pub fn answers(mut self, case: Case, status: StatusCode) -> Self {
        self.others.insert(case, status);
        self
    }

    pub fn cases(&self) -> impl Iterator<Item = Case> {
        Case::ALL.into_iter().filter(|case| (self.asked)(*case))
    }

    pub fn status(&self, case: Case) -> StatusCode {
        self.others.get(&case).copied().unwrap_or(case.status())
    }

    pub fn build(&self) -> Box<dyn Drive> {
        block_on((self.build)())
    }
}

/// A service that was built, and those who ask it.
pub trait Drive: Send {
    /// Asks so many times. The requests are made before the clock starts.
    fn batch(&mut self, case: Case, requests: usize) -> Duration;

    /// What so many requests allocate, from the call until the answer is dropped.
    fn allocations(&mut self, case: Case, requests: usize) -> Allocated;

    /// The status of the answer.
    fn status(&mut self, case: Case) -> StatusCode;

    /// A clone of the service, with callers of its own.
    fn fork(&self) -> Box<dyn Drive>;
}

struct Driver<S, B> {
    service: S,
    callers: Callers,
    request: fn(&mut Callers, Case) -> Option<Request<B>>,
}

impl<S, B, R> Driver<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error: Debug>,
{
    fn requests(&mut self, case: Case, count: usize) -> Vec<Request<B>> {
        (0..count).map(|_| (self.request)(&mut self.callers, case).expect("asked only what it knows")).collect()
    }

    async fn answer(&mut self, request: Request<B>) -> Response<R> {
        let ready = self.service.ready().await.expect("it becomes ready");
        ready.call(request).await.expect("it answers")
    }

    /// What is measured. By this name callgrind knows where to count.
    #[inline(never)]
    fn ask_all(&mut self, requests: Vec<Request<B>>) {
        block_on(self.drive(requests));
    }

    async fn drive(&mut self, requests: Vec<Request<B>>) {
        for request in requests {
            black_box(self.answer(black_box(request)).await);
        }
    }
}

impl<S, B, R> Drive for Driver<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error: Debug> + Clone + Send + 'static,
    B: 'static,
    R: 'static,
{
    fn batch(&mut self, case: Case, requests: usize) -> Duration {
        let requests = self.requests(case, requests);
        let start = Instant::now();
        self.ask_all(requests);
        start.elapsed()
    }

    fn allocations(&mut self, case: Case, requests: usize) -> Allocated {
        let requests = self.requests(case, requests);
        counting::measure(|| self.ask_all(requests)).1
    }

    fn status(&mut self, case: Case) -> StatusCode {
        let request = self.requests(case, 1).remove(0);
        block_on(self.answer(request)).status()
    }

    fn fork(&self) -> Box<dyn Drive> {
        Box::new(Self { service: self.service.clone(), callers: Callers::new(), request: self.request })
    }
}
