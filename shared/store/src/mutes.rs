//! Mutes as items, among the alerts that they silence.

use detect::Mute;

use crate::dynamo::error::StoreError;
use crate::dynamo::items;
use crate::dynamo::keys::{self, ALERTS};
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::Write;

/// What tells a mute from an alert.
pub(crate) const MUTE: &str = "mute";
/// Days after the beginning of its last one for which a mute is kept: no zone and no clock sees it go too early.
const KEPT: i64 = 8;

/// Writes a mute in the place of the one of the same.
pub(crate) fn written(mute: &Mute) -> Result<Write, StoreError> {
    let text = items::of_json(ALERTS, &mute.id, mute)?;
    let change = Change::of(keys::mute(&mute.id)).set(MUTE, text);
    Ok(Write::Change(change.expires(items::after(mute.until, KEPT))))
}

/// Removes a mute.
pub(crate) fn removed(id: &str) -> Write {
    // Condition **there or not**: the revision closes the race of two that remove it, and the engine may have done so before.
    let any = Condition::new("attribute_exists(pk) OR attribute_not_exists(pk)");
    Write::Delete(keys::mute(id), any)
}
