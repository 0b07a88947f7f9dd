//! Who may come in: people by OpenID Connect, scripts by bearer token.
//!
//! `guard` stands before the whole interface. Every path demands a visitor but these: `/healthz`; the
//! pages' style sheet and script; and the way in and out itself. A visitor is shown by a token of the
//! provider, which `token` checks ([`SignIn`] holds both):
//!
//! - scripts send it as `Authorization: Bearer` (RFC 6750);
//! - browsers are led to the provider (`flow`: authorization code with PKCE) and bring back an ID token, which
//!   becomes their session cookie. So there is no session to store, and none outlasts its token.
//!
//! What a cookie lets in must come from a page of this service if it changes something; other sites can make a
//! browser send cookies, but cannot say that they are this site.

mod flow;
pub(crate) mod guard;
mod provider;
mod scopes;
mod signatures;
mod token;
pub(crate) mod visitors;

pub use visitors::SignIn;
