//! The interface's own description, generated from the code.

use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::{IntoResponses as _, Modify, OpenApi};

use super::problem::ProblemDetails;
use super::responses::LetsIn;
use super::{
    alerts, channels, charts, details, export, failures, habit, insight, mutes, note_sheets, notes,
    plan, report_requests, schedules, search, sources, tables,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "smtp-auth-report",
        description = "Who sends mail through authenticated SMTP (SMTP AUTH), and over which TLS version.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        insight::health,
        insight::insight,
        insight::details,
        insight::domains,
        sources::list,
        charts::sending_volume,
        charts::tls_usage,
        charts::mechanisms,
        tables::sending_volume,
        tables::tls_usage,
        details::sender,
        details::account,
        details::client,
        habit::habit,
        failures::list,
        plan::plan,
        search::search,
        export::csv,
        report_requests::create,
        report_requests::list,
        report_requests::one,
        schedules::create,
        schedules::list,
        schedules::one,
        schedules::replace,
        schedules::delete,
        alerts::list,
        alerts::one,
        alerts::decide,
        channels::list,
        channels::test,
        mutes::list,
        mutes::create,
        mutes::delete,
        notes::list,
        notes::replace,
        notes::delete,
        note_sheets::import,
    ),
    components(schemas(ProblemDetails)),
    modifiers(&Access),
)]
struct Document;

/// What every path but the health check has in common where people sign in.
struct Access;

impl Modify for Access {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        const SCHEME: &str = "token";
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "A token of the service's OpenID Connect provider, or the one of --token-file; none is needed on loopback"
                .to_owned(),
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(SCHEME, SecurityScheme::Http(bearer));
        for (path, item) in &mut document.paths.paths {
            if path == "/healthz" {
                continue;
            }
            let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
            for operation in methods.into_iter().flatten() {
                let requirement = SecurityRequirement::new::<_, [String; 0], String>(SCHEME, []);
                operation.security = Some(vec![requirement]);
                operation.responses.responses.extend(LetsIn::responses());
            }
        }
    }
}

/// The OpenAPI 3.1 document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(crate) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use report::View;

    use super::*;

    #[test]
    fn every_view_is_described_and_every_operation_has_a_name_of_its_own() {
        let paths = document().paths.paths;
        for view in View::ALL {
            let chart = format!("/v1/reports/{}", view.name());
            assert!(paths.contains_key(&chart), "{chart}");
            assert!(paths.contains_key(&format!("{chart}/details")), "{chart}/details");
        }
        let mut names = BTreeSet::new();
        for item in paths.into_values() {
            let methods = [item.get, item.post, item.put, item.delete];
            for operation in methods.into_iter().flatten() {
                let name = operation.operation_id.unwrap_or_default();
                assert!(names.insert(name.clone()), "{name}");
            }
        }
    }
}
