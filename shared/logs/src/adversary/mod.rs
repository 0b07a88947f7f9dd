//! Clients that write a format's own fields into everything that they may say.
//!
//! Each format's adversary draws sessions at random, renders them as the real server logs them, and compares what is
//! counted with what the sessions did: a submission counts once, for who sent it, or for nobody where the format's own
//! lines cannot tell; nobody else is ever counted.

mod courier;
mod dovecot;
mod entra;
mod events;
mod exchange;
mod exim;
mod grammar;
mod haraka;
mod kumomta;
mod maddy;
mod mox;
mod opensmtpd;
mod postfix;
mod sendmail;
mod ses;
mod shapes;
mod stalwart;
