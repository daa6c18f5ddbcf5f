use super::*;
use crate::db::statement::Argument;
use crate::db::{Db, Write, args};

#[derive(sqlx::FromRow)]
struct Step {
    detail: String,
}

/// Reads the query plan of a statement.
struct ReadPlan {
    explain: &'static Statement,
    values: Vec<Argument>,
}

impl Write for ReadPlan {
    type Output = Vec<Step>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Step>, StoreError> {
        tx.fetch_all(self.explain, &self.values).await
    }
}

/// Statistics as ANALYZE would leave them for a million top-ups, each of another account: by them, an account is as
/// selective as an id.
static STATISTICS: &str = "ANALYZE; DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 VALUES \
    ('topups', 'topups_by_account', '1000000 1 1 1'), ('topups', 'sqlite_autoindex_topups_1', '1000000 1'), \
    ('topups', 'sqlite_autoindex_topups_2', '1000000 1'); ANALYZE sqlite_schema";

#[tokio::test]
async fn a_purchase_is_found_by_its_id_and_never_among_those_of_its_account() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::connect(&format!("sqlite:{}", folder.path().join("topup.db").display()), true).await.unwrap();
    db.migrate().await.unwrap();
    db.execute_raw(STATISTICS).await.unwrap();
    let statements = CREDIT.json.as_ref().expect("a statement").within.text();
    let mut found = 0;
    for part in statements.split(
        ";
",
    ) {
        if part.contains("CREATE TEMPORARY TABLE") {
            db.execute_raw(part).await.unwrap();
        }
        let sql: &'static str = format!("EXPLAIN QUERY PLAN {part}").leak();
        let explain: &'static Statement = Box::leak(Box::new(Statement::new(sql)));
        let values = if part.contains(":rows") { args![rows = "[]"].to_vec() } else { vec![] };
        let plan = db.write(ReadPlan { explain, values }).await.unwrap();
        for step in plan.iter().filter(|step| step.detail.contains(" topups ")) {
            assert!(step.detail.contains("sqlite_autoindex_topups_1 (id=?)"), "{} in {part}", step.detail);
            found += 1;
        }
    }
    assert_eq!(found, 3, "each place that reads purchases was looked at");
    db.close().await;
}
