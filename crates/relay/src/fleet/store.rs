use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, IntoConnectionInfo, RedisError, Script, TlsCertificates};
use secrecy::ExposeSecret;

use super::seal::Sealer;
use super::{FleetConfig, FleetError, SharedToken, Turn};
use crate::minted::{FreshToken, GrantKey};

/// A connection through TLS takes longer than a question may, so it is made without anybody waiting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// After a failure Redis is not asked again for this long.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether another replica has finished.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// A generic cell rate algorithm on Redis' own clock: one number for each key, fair in every window.
const ADMIT: &str = r"
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = due - now - interval * (burst - 1)
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], due + interval, 'PX', math.ceil(due + interval - now) + 1000)
return 0
";
/// Gives a turn back only if it is still this replica's.
const END_TURN: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

/// The other replicas, as seen through Redis.
pub(crate) struct Fleet {
    connection: Mutex<Option<ConnectionManager>>,
    client: Client,
    namespace: String,
    timeout: Duration,
    /// The current key, and perhaps the one before.
    sealers: Vec<Sealer>,
    /// Names this replica as the holder of a turn.
    replica: String,
    admit: Script,
    end_turn: Script,
    down_until: Mutex<Option<Instant>>,
    is_up: AtomicBool,
}

impl Fleet {
    pub(crate) fn new(config: &FleetConfig) -> Result<Self, FleetError> {
        let info = config.redis.as_str().into_connection_info().map_err(|_| FleetError::Address)?;
        let mut settings = info.redis_settings().clone();
        if let Some(password) = &config.password {
            settings = settings.set_password(password.current().expose_secret());
        }
        let info = info.set_redis_settings(settings);
        let client = match config.ca_file.clone() {
            None => Client::open(info),
            Some(pem) => {
                Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem) })
            }
        };
        let client = client.map_err(|_| FleetError::Address)?;
        let keys = [Some(&config.key), config.previous_key.as_ref()];
        Ok(Self {
            connection: Mutex::default(),
            client,
            namespace: config.namespace.clone(),
            timeout: config.timeout,
            sealers: keys.into_iter().flatten().map(Sealer::new).collect::<Result<_, _>>()?,
            replica: uuid::Uuid::new_v4().to_string(),
            admit: Script::new(ADMIT),
            end_turn: Script::new(END_TURN),
            down_until: Mutex::default(),
            is_up: AtomicBool::new(true),
        })
    }

    /// Whether Redis answered when it was last asked.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// A token that some replica minted for the grant.
    pub(crate) async fn find(&self, key: &GrantKey) -> Option<SharedToken> {
        for sealer in &self.sealers {
            let name = sealer.name("token", key.as_bytes());
            let mut pipe = redis::pipe();
            pipe.cmd("GET").arg(self.key(&name)).cmd("PTTL").arg(self.key(&name));
            let (sealed, ttl_ms): (Option<Vec<u8>>, i64) =
                self.ask(async |mut redis| pipe.query_async(&mut redis).await).await?;
            let (Some(sealed), Ok(ttl_ms)) = (sealed, u64::try_from(ttl_ms)) else { continue };
            if let Some((token, lifetime)) = sealer.open(&name, &sealed) {
                // What is left is Redis' count, so that no replica's clock matters.
                let age = lifetime.saturating_sub(Duration::from_millis(ttl_ms));
                return Some(SharedToken { token, age, lifetime });
            }
        }
        None
    }

    /// Asks for the right to mint, and waits while another replica has it, but no longer than it may
    /// take. Without Redis everybody has it.
    pub(crate) async fn take_turn(&self, key: &GrantKey, at_most: Duration) -> Turn {
        let Some(name) = self.name("turn", key) else { return Turn::First };
        let deadline = Instant::now() + at_most;
        let mut is_first = true;
        loop {
            let mut command = redis::cmd("SET");
            let at_most_ms = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
            command.arg(self.key(&name)).arg(&self.replica).arg("NX").arg("PX").arg(at_most_ms);
            let set: Option<Option<String>> =
                self.ask(async |mut redis| command.query_async(&mut redis).await).await;
            match set {
                None => return Turn::First,
                Some(Some(_)) if is_first => return Turn::First,
                Some(Some(_)) => return Turn::AfterAnother,
                Some(None) if Instant::now() >= deadline => return Turn::AfterAnother,
                Some(None) => tokio::time::sleep(POLL_INTERVAL).await,
            }
            is_first = false;
        }
    }

    pub(crate) async fn end_turn(&self, key: &GrantKey) {
        let Some(name) = self.name("turn", key) else { return };
        let mut script = self.end_turn.key(self.key(&name));
        script.arg(&self.replica);
        let _: Option<i64> = self.ask(async |mut redis| script.invoke_async(&mut redis).await).await;
    }

    /// Lets the others have a token.
    pub(crate) async fn share(&self, key: &GrantKey, fresh: &FreshToken) {
        let (Some(name), Some(lifetime)) = (self.name("token", key), fresh.lifetime) else { return };
        let left_ms = u64::try_from(lifetime.saturating_sub(fresh.asked.elapsed()).as_millis()).unwrap_or(0);
        let sealed = self.sealers.first().and_then(|sealer| sealer.seal(&name, &fresh.token, lifetime));
        if let (Some(sealed), 1..) = (sealed, left_ms) {
            let mut command = redis::cmd("SET");
            command.arg(self.key(&name)).arg(sealed).arg("PX").arg(left_ms);
            let _: Option<()> = self.ask(async |mut redis| command.query_async(&mut redis).await).await;
        }
    }

    pub(crate) async fn forget(&self, key: &GrantKey) {
        let mut command = redis::cmd("DEL");
        for sealer in &self.sealers {
            command.arg(self.key(&sealer.name("token", key.as_bytes())));
        }
        let _: Option<i64> = self.ask(async |mut redis| command.query_async(&mut redis).await).await;
    }

    /// Counts a request against a limit of the whole fleet.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub(crate) async fn admit(&self, what: &str, key: &[u8], per_minute: u32) -> Result<(), Duration> {
        let Some(sealer) = self.sealers.first().filter(|_| per_minute > 0) else { return Ok(()) };
        let interval_ms = 60_000.0 / f64::from(per_minute);
        let mut script = self.admit.key(self.key(&sealer.name(what, key)));
        script.arg(interval_ms).arg(per_minute);
        let wait_ms: Option<u64> = self.ask(async |mut redis| script.invoke_async(&mut redis).await).await;
        match wait_ms {
            Some(wait_ms @ 1..) => Err(Duration::from_millis(wait_ms)),
            _ => Ok(()),
        }
    }

    fn name(&self, what: &str, key: &GrantKey) -> Option<String> {
        self.sealers.first().map(|sealer| sealer.name(what, key.as_bytes()))
    }

    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.namespace)
    }

    /// Asks Redis; `None` if it cannot be asked now.
    async fn ask<T: FromRedisValue>(
        &self,
        question: impl AsyncFnOnce(ConnectionManager) -> Result<T, RedisError>,
    ) -> Option<T> {
        let is_paused = |until: &Option<Instant>| until.is_some_and(|until| Instant::now() < until);
        if is_paused(&self.down_until.lock().unwrap_or_else(PoisonError::into_inner)) {
            return None;
        }
        let answer = match self.connection() {
            Ok(connection) => tokio::time::timeout(self.timeout, question(connection)).await,
            Err(error) => Ok(Err(error)),
        };
        let reason = match answer {
            Ok(Ok(answer)) => {
                if !self.is_up.swap(true, Ordering::Relaxed) {
                    tracing::info!("Redis is back; the fleet shares again");
                }
                return Some(answer);
            }
            // The error's kind alone: its text may quote what was sent.
            Ok(Err(error)) => format!("{:?}", error.kind()),
            Err(_) => "no answer in time".to_owned(),
        };
        *self.down_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
        if self.is_up.swap(false, Ordering::Relaxed) {
            tracing::warn!(reason, "cannot reach Redis; this replica works alone");
        }
        None
    }

    /// Connects at the first question, and by itself again after that.
    fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(self.timeout))
            .set_max_delay(PAUSE)
            .set_number_of_retries(1);
        let fresh = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        *connection = Some(fresh.clone());
        let mut first = fresh.clone();
        tokio::spawn(async move { redis::cmd("PING").exec_async(&mut first).await });
        Ok(fresh)
    }
}
