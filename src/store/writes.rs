//! Statements that write bound rows, as one text with one list of values: one hand-over to the
//! database's thread, and one more for each [`ROWS_MAX`] rows of a long set.
//!
//! SQLite spends several times as much on unfolding JSON as on inserting what is in it, so rows that
//! every batch writes are bound. A file of [`super::sql`] that writes rows holds the values of one
//! row, `(VALUES (?, ?))`, which are repeated here. All statements of a text get the same number of
//! rows, rounded up to one of few numbers, so that few texts differ and each stays prepared. The
//! rows that are missing are NULL, and the statements skip them.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, Type};

use super::StoreError;
use super::transaction::Transaction;

/// Rows of one statement: enough that a hand-over for each costs little, few enough that the prepared
/// statements stay small. SQLite takes 32,766 values: 511 in each row.
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
    texts: Vec<(String, Values)>,
    /// Rows of each statement.
    rows: usize,
}

impl Writes {
    /// Starts a text whose longest set has this many rows.
    pub(super) fn with_rows(longest: usize) -> Self {
        Self {
            texts: vec![(String::new(), Values::default())],
            rows: rounded_up(longest).min(ROWS_MAX),
        }
    }

    /// Adds a statement that writes rows; without rows, nothing. Sets of more than [`ROWS_MAX`] rows
    /// become texts of their own, all the same, however many rows come in one batch.
    pub(super) fn rows<R: Row>(&mut self, statement: &'static str, rows: Vec<R>) {
        let is_long = rows.len() > ROWS_MAX;
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            if is_long {
                self.texts.push((String::new(), Values::default()));
            }
            self.add(statement, rows.by_ref().take(self.rows));
        }
        if is_long {
            self.texts.push((String::new(), Values::default()));
        }
    }

    fn add<R: Row>(&mut self, statement: &'static str, rows: impl Iterator<Item = R>) {
        let (before, row, after) = parts(statement);
        let width = row.matches('?').count();
        let (text, values) = self.texts.last_mut().expect("there is always one");
        text.push_str(before);
        text.push_str(row);
        for _ in 1..self.rows {
            text.push_str(", ");
            text.push_str(row);
        }
        text.push_str(after);
        let end = values.len() + self.rows * width;
        for row in rows {
            let next = values.len() + width;
            row.bind(values);
            assert_eq!(values.len(), next, "values of {before}");
        }
        while values.len() < end {
            values.push(None::<i64>);
        }
    }

    /// Adds a statement with a set as JSON.
    pub(super) fn set(&mut self, statement: &'static str, set: String) {
        let (text, values) = self.texts.last_mut().expect("there is always one");
        text.push_str(statement);
        values.push(set);
    }

    /// Runs the statements, if there are some.
    pub(super) async fn run(self, tx: &mut Transaction) -> Result<(), StoreError> {
        for (text, values) in self.texts {
            if !text.is_empty() {
                let query = sqlx::query_with(AssertSqlSafe(text), values.0);
                query.execute(&mut *tx).await?;
            }
        }
        Ok(())
    }
}

/// The next power of two, or three quarters of it.
fn rounded_up(rows: usize) -> usize {
    let power = rows.next_power_of_two();
    if power >= 4 && rows <= power / 4 * 3 {
        power / 4 * 3
    } else {
        power
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
