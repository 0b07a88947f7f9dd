//! Telling channels of alerts, and noting what they were told.

use channels::{Channel, Channels, Told};
use detect::{Due, Moment, Spent, due};
use futures_util::future::join_all;
use store::{Alerts, ChannelState, KnownAlerts, StoreError};

/// Tells the channels of the alerts that are kept.
pub(crate) struct Telling<'a> {
    pub(crate) alerts: &'a Alerts,
    pub(crate) channels: &'a Channels,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Spread {
    /// Alerts that channels took, each channel by itself.
    pub(crate) told: u64,
    /// Channels that do not take what they are told.
    pub(crate) failing: u64,
}

impl Telling<'_> {
    /// Tells each channel what is due at a moment, of all that is known. `spread` says what came of it also if that cannot be
    /// noted.
    pub(crate) async fn tell(
        &self,
        known: &KnownAlerts,
        moment: Moment,
        spread: &mut Spread,
    ) -> Result<(), StoreError> {
        let turn = async |channel: &Channel| {
            let state = state(channel, &known.channels);
            if state.rests(moment.now) {
                return (state, None);
            }
            let listener = channel.listener(state.spent);
            let told = match due(&known.cases, &known.mutes, listener, moment) {
                Some(due) => Some(self.channels.tell(channel, due, moment.now).await),
                None => None,
            };
            (state, told)
        };
        let (mut states, mut first_error) = (Vec::new(), None);
        // All at once: nobody waits for one that is slow.
        let turns = self.channels.all.iter().map(turn);
        for (channel, (mut state, told)) in self.channels.all.iter().zip(join_all(turns).await) {
            if let Some(Told { due, error }) = told {
                if !due.cases.is_empty() {
                    // What others were told is to be noted all the same.
                    if let Err(error) = self.note(channel, &due, moment).await {
                        first_error.get_or_insert(error);
                    }
                    spread.told += due.cases.len() as u64;
                    state.spent = Some(Spent::and(state.spent, moment.today, due.is_digest));
                }
                state = after(state, moment.now, error.map(|error| error.to_string()));
            }
            states.push(state);
        }
        self.set(&known.channels, states, spread).await?;
        first_error.map_or(Ok(()), Err)
    }

    /// Tells each channel a test.
    pub(crate) async fn test(&self, moment: Moment, spread: &mut Spread) -> Result<(), StoreError> {
        let mut states = Vec::new();
        let known = self.alerts.channels().await?;
        for channel in &self.channels.all {
            let tested = self.channels.test(channel, moment.today, moment.now).await;
            spread.told += u64::from(tested.is_ok());
            let error = tested.err().map(|error| error.to_string());
            states.push(after(state(channel, &known), moment.now, error));
        }
        self.set(&known, states, spread).await
    }

    async fn set(
        &self,
        known: &[ChannelState],
        states: Vec<ChannelState>,
        spread: &mut Spread,
    ) -> Result<(), StoreError> {
        spread.failing = states.iter().filter(|state| state.failing_since.is_some()).count() as u64;
        let changed: Vec<_> =
            states.iter().filter(|state| !known.contains(state)).cloned().collect();
        let is_gone = |one: &&ChannelState| states.iter().all(|state| state.name != one.name);
        let gone: Vec<_> = known.iter().filter(is_gone).map(|one| one.name.as_str()).collect();
        if !changed.is_empty() || !gone.is_empty() {
            self.alerts.note_channels(&changed, &gone).await?;
        }
        Ok(())
    }

    /// Notes that a channel was told. Who dies before tells it again, under the same key.
    async fn note(&self, channel: &Channel, due: &Due, moment: Moment) -> Result<(), StoreError> {
        self.alerts.decide(|known| due.told(known, &channel.name, moment)).await?;
        Ok(())
    }
}

/// How a channel works, by what is known of it.
fn state(channel: &Channel, known: &[ChannelState]) -> ChannelState {
    ChannelState::of(known, &channel.name, channel.form, channel.least)
}

/// The same after it was told, or was not for a reason. The log hears of what changes.
fn after(before: ChannelState, now: i64, error: Option<String>) -> ChannelState {
    let was_failing = before.failing_since.is_some();
    let state = before.after(now, error);
    let ChannelState { name, error, .. } = &state;
    match (was_failing, state.failing_since.is_some()) {
        (false, true) => tracing::error!(channel = name, error, "cannot be told of alerts"),
        (true, false) => tracing::info!(channel = name, "is told of alerts again"),
        _ => {}
    }
    state
}
