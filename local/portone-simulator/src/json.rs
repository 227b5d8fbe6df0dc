//! JSON Merge Patch (RFC 7396): how a test says "as it would be, but with this instead".

use serde_json::{Map, Value};

/// Merges `patch` into `target`: objects member by member, `null` removes, anything else replaces. A
/// `null` patch leaves the target as it is, so that "no patch" needs no case of its own.
pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        if !patch.is_null() {
            *target = patch.clone();
        }
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let members = target.as_object_mut().expect("made an object above");
    for (name, change) in changes {
        if change.is_null() {
            members.shift_remove(name);
        } else {
            merge_patch(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_removes_objects_merge_and_the_rest_replaces() {
        let mut value = json!({"a": 1, "b": {"c": 1, "d": 2}, "e": [1]});
        merge_patch(&mut value, &json!({"a": null, "b": {"c": 9}, "e": 3, "f": {"g": 1}}));
        assert_eq!(value, json!({"b": {"c": 9, "d": 2}, "e": 3, "f": {"g": 1}}));
    }
}
