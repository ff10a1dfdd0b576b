//! The Download Manager's jobs: each takes a few seconds by the platform's clock, then gives a file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Platform;
use super::caller::Caller;
use super::data::{ExportFormat, json_body, stream_rows};
use super::query::Query;
use super::refusal::Refusal;

const JOB_MS: i64 = 5_000;
const MAX_JOBS: usize = 50;

#[derive(Clone)]
struct Job {
    id: u64,
    name: String,
    query: Query,
    started_at_ms: i64,
}

#[derive(Default)]
struct Inner {
    next_id: u64,
    /// By `clientid`.
    jobs: BTreeMap<String, Vec<Job>>,
}

/// Every end user's jobs.
#[derive(Default)]
pub(super) struct Downloads(Mutex<Inner>);

impl Downloads {
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).jobs.clear();
    }
}

#[derive(Deserialize)]
struct NewJob {
    name: String,
    query: Query,
}

#[derive(Serialize)]
struct JobView {
    id: u64,
    name: String,
    dataset: String,
    rows: usize,
    tenants: Value,
    started_at_ms: i64,
    /// 0 to 100; the file is there at 100.
    progress_percent: i64,
}

pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/data/v1/downloads", routing::get(list).post(start))
        .route("/data/v1/downloads/{id}", routing::delete(remove))
        .route("/data/v1/downloads/{id}/file", routing::get(file))
}

async fn list(State(platform): State<Arc<Platform>>, caller: Caller) -> Result<Json<Value>, Refusal> {
    let jobs = platform.downloads.of(caller.clientid()?, platform.clock.now_ms());
    // Jobs on a dataset that this token does not open are not shown.
    let views: Vec<JobView> =
        jobs.iter().rev().filter_map(|job| view(&platform, &caller, job).ok()).collect();
    Ok(Json(json!({ "jobs": views })))
}

async fn start(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    body: Result<Json<NewJob>, JsonRejection>,
) -> Result<Response, Refusal> {
    let NewJob { name, query } = json_body(body)?;
    let clientid = caller.clientid()?;
    let (dataset, visible) = caller.rows(&platform, &query.dataset)?;
    query.select(dataset, visible)?;
    let job = platform.downloads.add(clientid, name, query, platform.clock.now_ms());
    Ok((StatusCode::CREATED, Json(view(&platform, &caller, &job)?)).into_response())
}

async fn remove(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<StatusCode, Refusal> {
    let mut inner = platform.downloads.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(jobs) = inner.jobs.get_mut(caller.clientid()?) {
        jobs.retain(|job| job.id != id);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn file(
    State(platform): State<Arc<Platform>>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Response, Refusal> {
    let job = platform
        .downloads
        .of(caller.clientid()?, platform.clock.now_ms())
        .into_iter()
        .find(|job| job.id == id);
    let job = job.ok_or_else(|| Refusal::not_found("there is no such download"))?;
    if progress_percent(&platform, &job) < 100 {
        return Err(Refusal::new(StatusCode::CONFLICT, "not_ready", "the file is not ready yet"));
    }
    let (dataset, visible) = caller.rows(&platform, &job.query.dataset)?;
    let rows = job.query.select(dataset, visible)?;
    Ok(stream_rows(dataset, &rows, ExportFormat::Csv, Duration::from_millis(20)))
}

impl Inner {
    fn job(&mut self, name: String, query: Query, started_at_ms: i64) -> Job {
        self.next_id += 1;
        Job { id: self.next_id, name, query, started_at_ms }
    }

    /// An end user's jobs; whoever comes for the first time finds two of earlier today.
    fn of(&mut self, clientid: &str, now_ms: i64) -> &mut Vec<Job> {
        if !self.jobs.contains_key(clientid) {
            let earlier = [("Support tickets", "tickets", 7), ("Orders of the year", "orders", 2)];
            let jobs = earlier.map(|(name, dataset, hours)| {
                self.job(name.to_owned(), Query::all_of(dataset), now_ms - hours * 3_600_000)
            });
            self.jobs.insert(clientid.to_owned(), jobs.into());
        }
        self.jobs.entry(clientid.to_owned()).or_default()
    }
}

impl Downloads {
    fn of(&self, clientid: &str, now_ms: i64) -> Vec<Job> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.of(clientid, now_ms).clone()
    }

    fn add(&self, clientid: &str, name: String, query: Query, now_ms: i64) -> Job {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let job = inner.job(name, query, now_ms);
        let jobs = inner.of(clientid, now_ms);
        if jobs.len() == MAX_JOBS {
            jobs.remove(0);
        }
        jobs.push(job.clone());
        job
    }
}

fn view(platform: &Platform, caller: &Caller, job: &Job) -> Result<JobView, Refusal> {
    let (dataset, visible) = caller.rows(platform, &job.query.dataset)?;
    let rows = job.query.select(dataset, visible)?;
    let mut tenants: Vec<String> =
        rows.iter().filter_map(|row| Some(dataset.cell(row, "tenant")?.to_text())).collect();
    tenants.sort_unstable();
    tenants.dedup();
    Ok(JobView {
        id: job.id,
        name: job.name.clone(),
        dataset: job.query.dataset.clone(),
        rows: rows.len(),
        tenants: json!(tenants),
        started_at_ms: job.started_at_ms,
        progress_percent: progress_percent(platform, job),
    })
}

fn progress_percent(platform: &Platform, job: &Job) -> i64 {
    ((platform.clock.now_ms() - job.started_at_ms) * 100 / JOB_MS).clamp(0, 100)
}
