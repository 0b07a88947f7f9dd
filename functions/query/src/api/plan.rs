//! The plan: who would be refused if something were turned off.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use history::{Wanted, blocking};
use report::views::plan::csv;
use report::views::{ClientPlace, Everybody, Plan, PlanRow, Refused, RowOf};
use report::{Filter, Group, Table};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::labels::Labelled;
use super::params::{Format, Given, LIMIT, PlanParams};
use super::problem::Problem;
use super::responses::{AsksStoreInTurns, ReadsParameters};
use super::tables::{self, Page, TableQuestion};
use crate::service::Query;
use crate::tables::Telling;

/// The plan, and a page of those who would be refused.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PlanPage {
    /// Figures of all of them.
    #[serde(flatten)]
    pub(crate) plan: Plan,
    /// Whose messages would be refused.
    pub(crate) rows: Vec<PlanRow>,
    /// The cursor of the next page; null on the last.
    pub(crate) next: Option<String>,
}

/// Who would have been refused in a range, if this were turned off: TLS 1.0, TLS 1.1 and no TLS, if nothing else is said.
#[utoipa::path(get, path = "/v1/plan", operation_id = "plan", params(PlanParams), responses(
    (status = 200, description = "The plan with a page of its rows, or all of these as CSV",
        content((PlanPage = "application/json"), (String = "text/csv"))),
    ReadsParameters, AsksStoreInTurns,
))]
pub(crate) async fn plan(query: Query, given: Given) -> Result<Response, Problem> {
    let asked: PlanParams = given.read(query.today())?;
    if asked.format.format == Format::Csv {
        return whole(&query, &asked).await;
    }
    let Found { plan, page: Page { rows, next, .. }, .. } = of(&query, &asked, LIMIT).await?;
    Ok(Json(PlanPage { plan, rows, next }).into_response())
}

/// A plan, a page of its rows, and everything by mechanism.
pub(crate) struct Found {
    pub(crate) plan: Plan,
    pub(crate) page: Page<PlanRow>,
    pub(crate) mechanisms: Arc<Table>,
}

/// The plan that is asked for, with `limit` rows at most if nothing else is asked.
pub(crate) async fn of(query: &Query, asked: &PlanParams, limit: usize) -> Result<Found, Problem> {
    let question = question(asked);
    let Wanted { range, filter, group } = &question.wanted;
    let kept = query.kept();
    let refused = async {
        let state = query.data.state(kept).await?;
        Ok::<_, Problem>(query.data.gather(&state, filter, || Refused::new(*range, kept)).await?)
    };
    let everybody = everybody(query, &question.wanted);
    let (refused, everybody) = tokio::try_join!(refused, everybody)?;
    let [accounts, senders, clients, mechanisms] = &everybody;
    let all = Everybody { accounts, senders, clients, mechanisms };
    let plan = refused.plan(&filter.off, &all, &filter.known.kinds);
    let table = by(*group, &everybody);
    let make = |row: RowOf<'_>| PlanRow::new(row, table);
    let page = tables::page_of(query, &question, &asked.page, limit, Telling::Clients, make);
    let mut page = page.await?;
    label(query, &mut page.rows).await?;
    Ok(Found { plan, page, mechanisms: Arc::clone(mechanisms) })
}

/// Says what is known of the rows' clients.
async fn label(query: &Query, rows: &mut [PlanRow]) -> Result<(), Problem> {
    let names = rows.iter().flat_map(|row| &row.clients).map(|client| client.of.name.as_str());
    let labelled = Labelled::of(query, Group::Client, names).await?;
    for client in rows.iter_mut().flat_map(|row| &mut row.clients) {
        let place = ClientPlace::of(query.known(), &client.of.name);
        client.labels = labelled.labels(&client.of.name, place);
    }
    Ok(())
}

/// All messages of the range by account, sender, client and mechanism, whatever is turned off.
async fn everybody(query: &Query, wanted: &Wanted) -> Result<[Arc<Table>; 4], Problem> {
    let of = async |group| {
        let filter = Filter { off: Vec::new(), ..wanted.filter.clone() };
        let wanted = Wanted { range: wanted.range, filter, group };
        Ok::<_, Problem>(query.data.table(wanted.range, &wanted).await?.1)
    };
    let (account, sender, client, mechanism) = tokio::try_join!(
        of(Group::Account),
        of(Group::Sender),
        of(Group::Client),
        of(Group::Mechanism)
    )?;
    Ok([account, sender, client, mechanism])
}

/// Of everybody, the table by a group of the plan's.
fn by(group: Group, [accounts, senders, clients, _]: &[Arc<Table>; 4]) -> &Arc<Table> {
    match group {
        Group::Account => accounts,
        Group::Client => clients,
        _ => senders,
    }
}

fn question(asked: &PlanParams) -> TableQuestion {
    TableQuestion::new(None, asked.days, &asked.off.filter, &asked.rows.table)
}

/// Everybody who would be refused, as CSV.
async fn whole(query: &Query, asked: &PlanParams) -> Result<Response, Problem> {
    let question = question(asked);
    let wanted = &question.wanted;
    let everybody = everybody(query, wanted).await?;
    let (_, table) = query.data.table(query.kept(), wanted).await?;
    let group = table.group();
    let all = Arc::clone(by(group, &everybody));
    let rows = table.rows(question.sort, &question.search);
    let names: Vec<_> = rows.map(|row| row.name).collect();
    let stories = query.data.stories(wanted, &names, Telling::ClientsOnly).await?;
    let labelled = Labelled::of(query, group, names.iter().copied()).await?;
    let known = query.known().clone();
    let turn = query.turn_at_writing().await.ok_or(Problem::Busy)?;
    let spool = query.spools.begin();
    let (table, range) = (Arc::clone(&table), wanted.range);
    blocking(move || {
        let _turn = turn;
        let rows = table.rows(question.sort, &question.search).zip(stories.iter().cloned());
        let rows = rows.map(|(row, story)| {
            let place = story.place(group, row.name, &known);
            let labels = labelled.labels(row.name, place);
            PlanRow::new(RowOf { group, row, story, labels }, &all)
        });
        tables::spooled(spool, "plan", range, |to| csv(to, group, rows))
    })
    .await
}
