//! The `ingest` function on AWS Lambda.

fn main() {}
