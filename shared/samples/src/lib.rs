//! Log lines as mail servers write them: for the demo, for tests, and for logs of any size.
//!
//! A module per server, a function per line. Whoever makes up the traffic decides what happens and when; only how a
//! server words it stands here. Times come as text, for servers write them in more than one way.

pub mod exim;
pub mod postfix;
