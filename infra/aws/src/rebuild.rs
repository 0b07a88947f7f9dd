//! A table that was lost, rebuilt from the archives.

use std::path::PathBuf;

use anyhow::Result;
use bootstrap::Patience;
use chrono::Utc;
use clap::Args;

/// From what, into what.
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// The table's name, as the stack's outputs tell it
    #[arg(long)]
    table: String,
    /// The folder with a copy of the bucket of archives
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
}

/// Counts the archives into the table.
pub(crate) async fn run(options: Rebuild) -> Result<()> {
    let store = bootstrap::store_of(&options.table, Patience::OF_A_PERSON)?;
    operator::rebuild::rebuild(&store, &options.from, Utc::now().date_naive()).await?;
    Ok(())
}
