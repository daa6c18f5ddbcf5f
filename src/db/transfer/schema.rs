//! The shape of a table, as its database tells it, and the order in which tables can be filled.

use crate::db::StoreError;
use crate::db::statement::Value;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Column {
    pub name: String,
    /// Whether it has integers; otherwise texts.
    pub is_number: bool,
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub name: String,
    pub columns: Vec<Column>,
    /// The columns of its primary key, by their places.
    pub key: Vec<usize>,
    /// The tables that it refers to.
    pub parents: Vec<String>,
    /// The column that the database itself counts.
    pub counter: Option<String>,
}

impl Shape {
    /// Whether two tables can have the same rows.
    pub(crate) fn has_columns_of(&self, other: &Self) -> bool {
        let sorted = |shape: &Self| {
            let mut columns = shape.columns.clone();
            columns.sort();
            columns
        };
        sorted(self) == sorted(other) && self.counter == other.counter
    }

    /// The names of its columns, for a statement.
    pub(crate) fn names(&self) -> String {
        self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// The names of its key's columns, for a statement.
    pub(crate) fn key_names(&self) -> String {
        let names = self.key.iter().filter_map(|place| self.columns.get(*place));
        names.map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// A row's key.
    pub(crate) fn key_of(&self, row: &[Value]) -> Vec<Value> {
        self.key.iter().filter_map(|place| row.get(*place).cloned()).collect()
    }

    /// The table's name, for a statement.
    pub(crate) fn quoted(&self) -> String {
        quoted(&self.name)
    }
}

/// A name of the schema, for a statement.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Puts each table behind those that it refers to.
///
/// # Errors
/// When tables refer to each other in a circle, or one has no primary key.
pub(crate) fn in_order(mut shapes: Vec<Shape>) -> Result<Vec<Shape>, StoreError> {
    if let Some(shape) = shapes.iter().find(|shape| shape.key.is_empty()) {
        return Err(StoreError::corrupt("no primary key of", &shape.name));
    }
    let mut ordered: Vec<Shape> = Vec::new();
    while !shapes.is_empty() {
        let is_placed =
            |parent: &String, of: &Shape| *parent == of.name || ordered.iter().any(|placed| placed.name == *parent);
        let (ready, rest): (Vec<Shape>, Vec<Shape>) =
            shapes.into_iter().partition(|shape| shape.parents.iter().all(|parent| is_placed(parent, shape)));
        if ready.is_empty() {
            return Err(StoreError::corrupt("a circle of tables at", rest.first().map_or("", |shape| &shape.name)));
        }
        ordered.extend(ready);
        shapes = rest;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &str, parents: &[&str]) -> Shape {
        let columns = vec![Column { name: "id".to_owned(), is_number: false }];
        let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        Shape { name: name.to_owned(), columns, key: vec![0], parents, counter: None }
    }

    #[test]
    fn tables_come_after_those_that_they_refer_to() {
        let shapes = vec![shape("a", &["b", "c"]), shape("b", &["c", "b"]), shape("c", &[])];
        let ordered = in_order(shapes).expect("an order");
        assert_eq!(ordered.iter().map(|shape| shape.name.as_str()).collect::<Vec<_>>(), ["c", "b", "a"]);
        assert!(in_order(vec![shape("a", &["b"]), shape("b", &["a"])]).is_err());
        assert!(in_order(vec![Shape { key: Vec::new(), ..shape("a", &[]) }]).is_err());
    }
}
