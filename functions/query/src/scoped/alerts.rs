//! Alerts within a scope: all of them, or none. What is odd about an account is told against what everybody else does, so
//! whoever is bound to some domains could tell others' mail by it.

use channels::Channel;
use detect::{Case, Decision, Mute, Resolution, Status};
use report::{Day, Scope};
use store::{ChannelState, KnownAlerts, StoreError};

use super::within::Scoped;

impl Scoped {
    /// Every alert, every mute, and who is watched.
    pub(crate) async fn alerts(&self) -> Result<KnownAlerts, StoreError> {
        match self.scope {
            Scope::All => self.alerts.all().await,
            Scope::Domains(_) => Ok(KnownAlerts::default()),
        }
    }

    /// Whether there is anything about alerts to see.
    pub(crate) fn sees_alerts(&self) -> bool {
        self.scope == Scope::All
    }

    /// The names of the channels that take nothing. Whoever watches the service is to know, and they tell of nobody's mail.
    pub(crate) async fn failing_channels(&self) -> Result<Vec<String>, StoreError> {
        let channels = self.alerts.channels().await?;
        let failing = channels.into_iter().filter(|channel| channel.failing_since.is_some());
        Ok(failing.map(|channel| channel.name).collect())
    }

    /// Notes what came of telling a channel something, and gives how it works then.
    pub(crate) async fn note_channel(
        &self,
        Channel { name, form, least, .. }: &Channel,
        now: i64,
        error: Option<String>,
    ) -> Result<ChannelState, StoreError> {
        let known = self.alerts.channels().await?;
        let state = ChannelState::of(&known, name, form, *least).after(now, error);
        self.alerts.note_channels(std::slice::from_ref(&state), &[]).await?;
        Ok(state)
    }

    /// How many alerts need attention on this day.
    pub(crate) async fn attention(&self, today: Day) -> Result<usize, StoreError> {
        Ok(self.alerts().await?.attention(today).len())
    }

    /// Writes a mute in the place of the one of the same; false if there are `most` others that hold on this day. Nothing
    /// is muted by whoever is bound.
    pub(crate) async fn mute(
        &self,
        mute: &Mute,
        most: usize,
        today: Day,
    ) -> Result<bool, StoreError> {
        Ok(self.sees_alerts() && self.alerts.mute(mute, most, today).await?)
    }

    /// Removes a mute that holds on this day, and gives it; none if there is none.
    pub(crate) async fn unmute(&self, id: &str, today: Day) -> Result<Option<Mute>, StoreError> {
        match self.scope {
            Scope::All => self.alerts.unmute(id, today).await,
            Scope::Domains(_) => Ok(None),
        }
    }

    /// Decides about an alert, and gives it as it is then; none if there is none.
    pub(crate) async fn decide(
        &self,
        id: &str,
        status: Status,
        resolution: Option<Resolution>,
        by: &Decision,
    ) -> Result<Option<Case>, StoreError> {
        if !self.sees_alerts() {
            return Ok(None);
        }
        let decided = self.alerts.decide(|known| {
            let case = known.iter().find(|case| case.alert.id == id);
            case.map(|case| case.decided(status, resolution, by.clone())).into_iter().collect()
        });
        Ok(decided.await?.pop())
    }
}
