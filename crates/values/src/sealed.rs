//! Personal values as the record holds them: sealed, with a salted commitment.

crate::data! {
    /// A personal text (name, mail address, phone number) under a key of its person and class.
    ///
    /// Opening needs the vault; who destroys the key erases the value and every proof still holds.
    pub struct SealedText {
        /// The key that opens it, `member:01J…/contact`.
        pub key: String,
        /// Nonce, ciphertext and tag of AES-256-GCM, base 64.
        pub sealed: String,
        /// SHA-256 of salt and plain text, hexadecimal; the salt is inside the sealed part.
        pub commitment: String,
    }
}
