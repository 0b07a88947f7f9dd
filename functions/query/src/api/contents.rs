//! What a report by mail holds, of a report request or a schedule.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use report::{Contents, Filter, Group, Scope, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{IntoParams as _, PartialSchema, ToSchema};

use super::body::{Fields, wrong};
use super::params::{self, FilterParams};
use super::problem::Problem;
use super::schemas::{self, NAME, VALUES};
use crate::service::Query;

/// Reads what a report by mail is to hold.
pub(super) fn contents(fields: &Fields, query: &Query) -> Result<Contents, Problem> {
    const VIEWS: &str = "it must be sending-volume or tls-usage";
    let view = fields.needed("view", VIEWS)?;
    let view = View::from_name(view).ok_or_else(|| Problem::parameter("view", view, VIEWS))?;
    let name = fields.text("name")?;
    if let Some(name) = name
        && (name.chars().count() > NAME || name.contains(char::is_control))
    {
        let allowed = format!("it must be one line of at most {NAME} characters");
        return Err(Problem::parameter("name", name, allowed));
    }
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let recipients = fields.texts("recipients")?;
    let recipients = query.mailing.recipients.check(&recipients).map_err(|error| {
        let value = fields.get("recipients").cloned().unwrap_or_default();
        wrong("recipients", &value, error.to_string())
    })?;
    let scope = query.data.scope().clone();
    let group = fields.text("group")?.map(|name| params::group(name, &Group::ALL)).transpose()?;
    let (group, only) = (group.unwrap_or(Group::Sender), only(fields)?);
    Ok(Contents { view, group, only, name: name.map(str::to_owned), recipients, scope })
}

/// Reads which usage is asked for.
fn only(fields: &Fields) -> Result<Filter, Problem> {
    let domain = fields.text("domain")?.filter(|text| !text.is_empty());
    let mut only = Filter::of_domain(domain.map(params::domain).transpose()?.as_deref());
    let Some(given) = fields.get("filter") else { return Ok(only) };
    let names = || format!("the filters here are {}", Contents::FILTERS.join(", "));
    let Value::Object(filters) = given else { return Err(wrong("filter", given, names())) };
    for (name, values) in filters {
        let field = format!("filter.{name}");
        if !Contents::FILTERS.contains(&name.as_str()) {
            return Err(wrong(&field, values, names()));
        }
        let listed =
            || wrong(&field, values, format!("it must be a list of at most {VALUES} texts"));
        let values =
            values.as_array().filter(|values| values.len() <= VALUES).ok_or_else(listed)?;
        for value in values {
            let text = value.as_str().ok_or_else(listed)?;
            only.give(name, text).map_err(|allowed| wrong(&field, value, allowed))?;
        }
    }
    Ok(only)
}

/// The filters for answers, each with its values.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Filters(pub(crate) BTreeMap<String, Vec<String>>);

impl PartialSchema for Filters {
    /// Each is as in the address of a table.
    fn schema() -> RefOr<Schema> {
        let told = "Only messages that have one of the values of each filter.";
        let mut object = ObjectBuilder::new().schema_type(Type::Object).description(Some(told));
        for Parameter { name, schema, .. } in FilterParams::into_params(|| None) {
            // A list needs no commas.
            let schema = if name == "off" { Some(schemas::off_alone().into()) } else { schema };
            if let Some(schema) = schema.filter(|_| Contents::FILTERS.contains(&name.as_str())) {
                object = object.property(name, schema);
            }
        }
        let only = AdditionalProperties::FreeForm(false);
        Schema::from(object.additional_properties(Some(only)).build()).into()
    }
}

impl ToSchema for Filters {}

/// A scope for answers.
pub(super) fn scope(scope: &Scope) -> Option<Vec<String>> {
    scope.domains().map(|domains| domains.iter().cloned().collect())
}

/// An instant for answers.
pub(super) fn instant(unix: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix, 0).unwrap_or_default()
}
