//! Text about a person. It can be stored and shown to its owner, never logged by accident.

use std::fmt;

/// A value about a person: name, e-mail, phone, account holder.
///
/// `Debug` prints a placeholder and there is no `Display`, so neither a log line nor an error can
/// carry it; who needs the value says so with [`Personal::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Personal<T = String>(T);

impl<T> Personal<T> {
    /// Marks `value` as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for storing it or handing it to the person's own page or to PortOne.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

#[cfg(test)]
mod tests {
    use super::Personal;

    #[test]
    fn debug_output_never_shows_the_person() {
        let name = Personal::new("홍길동".to_owned());
        assert_eq!(format!("{name:?} {:?}", Some(&name)), "[personal] Some([personal])");
        assert_eq!(name.expose(), "홍길동");
    }
}
