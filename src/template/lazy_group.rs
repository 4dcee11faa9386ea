//! Groups of variables that are computed for the first text that uses them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Enumerator, Object, Serde};
use minijinja::{Error, ErrorKind, State, Value};
use serde::Serialize;

type Compute = Box<dyn FnOnce() -> Value + Send + Sync>;

/// Group of variables that is computed for the first text that uses one of them.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct LazyGroup(Value);

struct Lazy {
    fields: LazyLock<Value, Compute>,
    /// Name and body of its only method.
    method: Option<(&'static str, Method)>,
}

type Method = Box<dyn Fn(&[Value]) -> Result<Value, Error> + Send + Sync>;

impl LazyGroup {
    /// Makes a group of the fields of the result of `compute`, which is called at most once.
    pub fn new<T: Serialize>(compute: impl FnOnce() -> T + Send + Sync + 'static) -> Self {
        let compute: Compute = Box::new(|| Value::from(Serde(compute())));
        Self::from_parts(compute, None)
    }

    /// Makes a group that has a method beside its fields.
    pub fn with_method<T: Serialize>(
        compute: impl FnOnce() -> T + Send + Sync + 'static,
        name: &'static str,
        method: impl Fn(&[Value]) -> Result<Value, Error> + Send + Sync + 'static,
    ) -> Self {
        let compute: Compute = Box::new(|| Value::from(Serde(compute())));
        Self::from_parts(compute, Some((name, Box::new(method))))
    }

    fn from_parts(compute: Compute, method: Option<(&'static str, Method)>) -> Self {
        Self(Value::from_object(Lazy {
            fields: LazyLock::new(compute),
            method,
        }))
    }
}

impl Object for Lazy {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.fields
            .get_item(key)
            .ok()
            .filter(|value| !value.is_undefined())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        match &self.method {
            Some((known, method)) if *known == name => method(arguments),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.fields.try_iter().into_iter().flatten();
        Enumerator::Values(keys.collect())
    }
}

impl fmt::Debug for Lazy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lazy")
    }
}
