//! Statements that write bound rows, as one text with one list of values: one hand-over to the
//! database's thread.
//!
//! SQLite spends several times as much on unfolding JSON as on inserting what is in it, so rows that
//! every batch writes are bound. A file of [`super::sql`] that writes rows holds the values of one
//! row, `(VALUES (?, ?))`, which are repeated here. Each statement gets a power of two of rows, all
//! statements of a text the same, so that few texts differ and each stays prepared. Rows beyond those
//! that there are consist of NULL; the statements skip a row whose first value is NULL.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, Type};

use super::StoreError;
use super::transaction::Transaction;

/// Rows of one statement. SQLite takes 32,766 values: 511 in each row.
const ROWS_MAX: usize = 64;

/// A row with its values in the order of the parameters.
pub(super) trait Row {
    fn bind(self, values: &mut Values);
}

/// Values of the parameters `?` of a text, in order.
#[derive(Default)]
pub(super) struct Values(SqliteArguments);

impl Values {
    pub(super) fn push<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        let added = self.0.add(value);
        added.expect("numbers and texts can be bound");
        self
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Statements with their values.
pub(super) struct Writes {
    text: String,
    values: Values,
    /// Rows of each statement.
    rows: usize,
}

impl Writes {
    /// Starts a text whose longest set has this many rows.
    pub(super) fn with_rows(longest: usize) -> Self {
        Self {
            text: String::new(),
            values: Values::default(),
            rows: longest.next_power_of_two().min(ROWS_MAX),
        }
    }

    /// Adds a statement that writes rows; without rows, nothing.
    pub(super) fn rows<R: Row>(&mut self, statement: &'static str, rows: Vec<R>) {
        let (before, row, after) = parts(statement);
        let width = row.matches('?').count();
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            self.text.push_str(before);
            self.text.push_str(row);
            for _ in 1..self.rows {
                self.text.push_str(", ");
                self.text.push_str(row);
            }
            self.text.push_str(after);
            let end = self.values.len() + self.rows * width;
            for row in rows.by_ref().take(self.rows) {
                let next = self.values.len() + width;
                row.bind(&mut self.values);
                assert_eq!(self.values.len(), next, "values of {before}");
            }
            while self.values.len() < end {
                self.values.push(None::<i64>);
            }
        }
    }

    /// Adds a statement with a set as JSON.
    pub(super) fn set(&mut self, statement: &'static str, set: String) {
        self.text.push_str(statement);
        self.values.push(set);
    }

    /// Runs the statements, if there are some.
    pub(super) async fn run(self, tx: &mut Transaction) -> Result<(), StoreError> {
        if !self.text.is_empty() {
            let query = sqlx::query_with(AssertSqlSafe(self.text), self.values.0);
            query.execute(&mut *tx).await?;
        }
        Ok(())
    }
}

/// The text before the values of a row, those values in parentheses, and the text after them.
fn parts(statement: &'static str) -> (&'static str, &'static str, &'static str) {
    let start = statement.find("(VALUES (").expect("it writes rows") + "(VALUES ".len();
    let (before, rest) = statement.split_at(start);
    let end = rest.find(')').expect("a row ends") + 1;
    let (row, after) = rest.split_at(end);
    (before, row, after)
}
