//! Tokens of the provider: whether they can be believed, and who they show.

use bootstrap::Oidc;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use report::Scope;
use serde_json::{Map, Value};

use super::provider::Provider;
use super::scopes::{scope, words};
use super::signatures::ALGORITHMS;
use crate::api::problem::Problem;
use crate::visitor::Role;

/// How far clocks may differ, in seconds.
const LEEWAY: i64 = 30;
/// The longest token that is looked at, in bytes.
const LONGEST: usize = 16_384;

/// What a token says that can be believed.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) subject: String,
    pub(super) name: String,
    /// None for those who have none here.
    pub(super) role: Option<Role>,
    pub(super) scope: Scope,
    /// Seconds since 1970.
    pub(super) expires: i64,
    /// That of the sign-in which an ID token answers.
    pub(super) nonce: Option<String>,
}

/// Checks a token's signature, issuer, audience and times.
///
/// # Errors
/// [`Problem::Unauthorized`] without a word why, which is logged; or the provider's keys cannot be had.
pub(super) async fn check(
    text: &str,
    oidc: &Oidc,
    provider: &Provider,
    now: i64,
) -> Result<Accepted, Problem> {
    read(text, oidc, provider, now).await.map_err(|refused| match refused {
        Refused::Token(why) => {
            tracing::info!(why, "a token was refused");
            Problem::Unauthorized
        }
        Refused::Provider(why) => {
            tracing::error!(why, "no token can be checked");
            Problem::Unavailable
        }
    })
}

enum Refused {
    Token(String),
    Provider(String),
}

impl From<&str> for Refused {
    fn from(why: &str) -> Self {
        Self::Token(why.to_owned())
    }
}

impl From<jsonwebtoken::errors::Error> for Refused {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        // Errors about JSON or base64 quote what they read: a part of a token.
        let why = match error.kind() {
            ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => "it is no token",
            _ => return Self::Token(error.to_string()),
        };
        why.into()
    }
}

impl From<super::provider::ProviderError> for Refused {
    fn from(error: super::provider::ProviderError) -> Self {
        Self::Provider(error.to_string())
    }
}

async fn read(text: &str, oidc: &Oidc, provider: &Provider, now: i64) -> Result<Accepted, Refused> {
    if text.len() > LONGEST {
        return Err("it is too long".into());
    }
    let header = jsonwebtoken::decode_header(text)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err("its algorithm is not taken".into());
    }
    if header.crit.is_some() {
        return Err("it has critical extensions".into());
    }
    let id = header.kid.as_deref();
    let mut known = provider.known().await?;
    if known.key(id).is_none() {
        known = provider.newer_than(known.at()).await?;
    }
    let key = known.key(id).ok_or("nobody knows its key")?;
    let other_use = |use_: &jsonwebtoken::jwk::PublicKeyUse| {
        *use_ != jsonwebtoken::jwk::PublicKeyUse::Signature
    };
    if key.common.public_key_use.as_ref().is_some_and(other_use) {
        return Err("its key is not for signatures".into());
    }
    if key
        .common
        .key_algorithm
        .is_some_and(|named| named.to_string() != format!("{:?}", header.alg))
    {
        return Err("its key is for another algorithm".into());
    }
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[&oidc.issuer]);
    validation.set_required_spec_claims(&["iss"]);
    // Looked at below: by this service's clock, and not all providers' access tokens have an audience.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_jwk(key)?;
    let claims = jsonwebtoken::decode::<Map<String, Value>>(text, &key, &validation)?.claims;
    if !is_for(&claims, oidc) {
        return Err("it is for another audience".into());
    }
    let text_of = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let subject = text_of("sub").ok_or("it has no subject")?;
    let expires = instant(&claims, "exp")?.ok_or("it never expires")?;
    if expires <= now - LEEWAY {
        return Err("it has expired".into());
    }
    if instant(&claims, "nbf")?.is_some_and(|begins| begins > now + LEEWAY) {
        return Err("its time has not come".into());
    }
    let names = ["email", "preferred_username", "cognito:username", "username", "client_id"];
    let name = names.into_iter().find_map(text_of).unwrap_or_else(|| subject.clone());
    let (role, scope) = (role(&claims, oidc), scope(&claims, oidc));
    Ok(Accepted { subject, name, role, scope, expires, nonce: text_of("nonce") })
}

/// An instant among the claims, in seconds since 1970. It may have a fraction (RFC 7519, section 2).
fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refused> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..1e12).contains(seconds));
    #[expect(clippy::cast_possible_truncation, reason = "it is below 10^12")]
    let whole = seconds.map(|seconds| seconds as i64);
    whole.map(Some).ok_or_else(|| format!("its {name} is no instant").as_str().into())
}

/// What only ID tokens have (OpenID Connect Core, sections 2 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

/// Whether a token is for this service: by its audience, or where it has none (as Cognito's access tokens), by
/// the client that it was given to.
fn is_for(claims: &Map<String, Value>, oidc: &Oidc) -> bool {
    let ours = |value: &Value| {
        value.as_str().is_some_and(|audience| {
            audience == oidc.client_id || oidc.audiences.iter().any(|one| one == audience)
        })
    };
    match (claims.get("aud"), claims.get("client_id")) {
        (Some(Value::Array(audiences)), _) => {
            audiences.iter().any(ours) && (audiences.len() == 1 || is_by_us(claims, &ours))
        }
        (Some(audience), _) => ours(audience),
        (None, client) => client.is_some_and(ours),
    }
}

/// Whether a token that several may see was made for one of ours (OpenID Connect Core, section 3.1.3.7). Of access
/// tokens, `azp` tells who uses them, which the audience has agreed to.
fn is_by_us(claims: &Map<String, Value>, ours: &impl Fn(&Value) -> bool) -> bool {
    let is_id_token = OF_ID_TOKENS.iter().any(|name| claims.contains_key(*name))
        || claims.get("token_use").is_some_and(|what| what == "id")
        || claims.get("typ").is_some_and(|what| what == "ID");
    !is_id_token || claims.get("azp").is_some_and(ours)
}

/// The highest role that the claims give.
fn role(claims: &Map<String, Value>, oidc: &Oidc) -> Option<Role> {
    let given = oidc.role_claims.iter().filter_map(|name| claims.get(name));
    let words: Vec<&str> = given.flat_map(words).collect();
    let has = |wanted: &[String]| words.iter().any(|word| wanted.iter().any(|one| one == word));
    match (has(&oidc.managers), has(&oidc.readers)) {
        (true, _) => Some(Role::Manager),
        (false, true) => Some(Role::Reader),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn oidc() -> Oidc {
        let list = |text: &str| text.split(',').map(str::to_owned).collect();
        Oidc {
            issuer: "https://id.example.test".to_owned(),
            client_id: "dashboard".to_owned(),
            client_secret: None,
            audiences: list("scripts"),
            role_claims: list("cognito:groups,scope"),
            readers: list("readers,smtp-auth-report/read"),
            managers: list("managers,smtp-auth-report/manage"),
            domain_claims: Vec::new(),
        }
    }

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn audiences_are_ours_or_not() {
        let is_for = |value| is_for(&claims(value), &oidc());
        assert!(is_for(json!({"aud": "dashboard"})));
        assert!(is_for(json!({"aud": ["other", "scripts"]})));
        assert!(is_for(json!({"client_id": "scripts"})));
        // A client id does not make up for another audience.
        assert!(!is_for(json!({"aud": "other", "client_id": "scripts"})));
        assert!(!is_for(json!({"aud": [], "client_id": "scripts"})));
        assert!(!is_for(json!({"aud": null, "client_id": "scripts"})));
        assert!(!is_for(json!({"client_id": "other"})));
        // An ID token that several may see must have been made for one of ours.
        let several = |azp: Value| json!({"aud": ["dashboard", "other"], "azp": azp, "nonce": "n"});
        assert!(is_for(several(json!("dashboard"))) && is_for(several(json!("scripts"))));
        for azp in [json!("other"), json!(null), json!(["dashboard"]), json!("")] {
            assert!(!is_for(several(azp.clone())), "{azp}");
        }
        assert!(!is_for(json!({"aud": ["dashboard", "other"], "at_hash": "h"})));
        assert!(!is_for(json!({"aud": ["dashboard", "dashboard"], "typ": "ID"})));
        assert!(is_for(json!({"aud": ["dashboard"], "azp": "other", "nonce": "n"})));
        assert!(is_for(json!({"aud": ["dashboard", "other"], "azp": "other"})), "an access token");
        assert!(!is_for(json!({})));
    }

    #[test]
    fn roles_stand_in_lists_and_in_words() {
        let role = |value| role(&claims(value), &oidc());
        assert_eq!(role(json!({"cognito:groups": ["staff", "readers"]})), Some(Role::Reader));
        assert_eq!(role(json!({"cognito:groups": ["readers", "managers"]})), Some(Role::Manager));
        assert_eq!(role(json!({"scope": "openid smtp-auth-report/manage"})), Some(Role::Manager));
        assert_eq!(role(json!({"scope": "smtp-auth-report/managers"})), None);
        assert_eq!(role(json!({"groups": ["managers"], "cognito:groups": 7})), None);
    }
}
