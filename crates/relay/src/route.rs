use qrvey_auth_wire::{ADMIN_TOKEN_PATH, COMPOSER_TOKEN_PATH};

/// Path below the base at which a signed-in caller's kept tokens are dropped.
pub(crate) const TOKENS_PATH: &str = "/tokens";

/// What a path below the base leads to. The path itself could hold anything, a token included, so
/// log and metrics know its route only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    ComposerToken,
    AdminToken,
    Tokens,
    /// Nothing is there.
    Other,
}

impl Route {
    pub(crate) const ALL: [Self; 4] = [Self::ComposerToken, Self::AdminToken, Self::Tokens, Self::Other];

    pub(crate) fn find(path: &str, base_path: &str) -> Self {
        match path.strip_prefix(base_path) {
            Some(COMPOSER_TOKEN_PATH) => Self::ComposerToken,
            Some(ADMIN_TOKEN_PATH) => Self::AdminToken,
            Some(TOKENS_PATH) => Self::Tokens,
            _ => Self::Other,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ComposerToken => "composer-token",
            Self::AdminToken => "admin-token",
            Self::Tokens => "tokens",
            Self::Other => "other",
        }
    }

    /// The one method that the route takes.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Tokens => "DELETE",
            _ => "POST",
        }
    }

    /// All that it answers, for the header `Allow`.
    pub(crate) fn allow(self) -> &'static str {
        match self {
            Self::Tokens => "DELETE, OPTIONS",
            _ => "POST, OPTIONS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_a_whole() {
        assert_eq!(Route::find("/qrvey/composer-token", "/qrvey"), Route::ComposerToken);
        assert_eq!(Route::find("/a/b/tokens", "/a/b"), Route::Tokens);
        for path in ["/", "/qrvey", "/qrvey/", "/composer-token", "/qrvey/composer-token/", "/qrveyx/tokens"]
        {
            assert_eq!(Route::find(path, "/qrvey"), Route::Other, "{path}");
        }
    }
}
