//! Groups of variables that are computed for the first text that uses them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, Serde};
use serde::Serialize;

type Compute = Box<dyn FnOnce() -> Value + Send + Sync>;

/// Group of variables that is computed for the first text that uses one of them.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct LazyGroup(Value);

struct Lazy(LazyLock<Value, Compute>);

impl LazyGroup {
    /// Makes a group of the fields of the result of `compute`, which is called at most once.
    pub fn new<T: Serialize>(compute: impl FnOnce() -> T + Send + Sync + 'static) -> Self {
        let compute: Compute = Box::new(|| Value::from(Serde(compute())));
        Self(Value::from_object(Lazy(LazyLock::new(compute))))
    }
}

impl Object for Lazy {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0
            .get_item(key)
            .ok()
            .filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.0.try_iter().into_iter().flatten();
        Enumerator::Values(keys.collect())
    }
}

impl fmt::Debug for Lazy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lazy")
    }
}
