//! The demo's three users of two tenants.

use serde::Serialize;

/// Somebody who can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// What `POST /session` names.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// The tenant's id, as in the data.
    pub tenant: &'static str,
    /// The tenant's name, for people.
    pub tenant_name: &'static str,
    /// What the user may do.
    pub roles: &'static [&'static str],
}

/// Who there is.
pub const USERS: [User; 3] = [
    User {
        id: "ada",
        name: "Ada Lindqvist",
        tenant: "aurora",
        tenant_name: "Aurora Outdoor",
        roles: &["analyst"],
    },
    User {
        id: "bo",
        name: "Bo Halvorsen",
        tenant: "aurora",
        tenant_name: "Aurora Outdoor",
        roles: &["analyst", "qrvey-admin"],
    },
    User {
        id: "cleo",
        name: "Cleo Barnes",
        tenant: "basalt",
        tenant_name: "Basalt Industrial",
        roles: &["analyst"],
    },
];

/// What the host says of a signed-in user to whoever asks with their cookie.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Claims {
    sub: &'static str,
    name: &'static str,
    tenant: &'static str,
    tenants: [&'static str; 1],
    roles: &'static [&'static str],
}

impl User {
    pub(super) fn find(id: &str) -> Option<Self> {
        USERS.into_iter().find(|user| user.id == id)
    }

    pub(super) const fn claims(self) -> Claims {
        Claims {
            sub: self.id,
            name: self.name,
            tenant: self.tenant,
            tenants: [self.tenant],
            roles: self.roles,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_what_the_relay_is_configured_for() {
        let claims = serde_json::to_value(User::find("bo").unwrap().claims()).unwrap();
        let expected = serde_json::json!({
            "sub": "bo", "name": "Bo Halvorsen", "tenant": "aurora", "tenants": ["aurora"],
            "roles": ["analyst", "qrvey-admin"],
        });
        assert_eq!(claims, expected);
        assert!(User::find("mallory").is_none());
    }
}
