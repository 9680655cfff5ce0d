//! Where random bytes come from. Whoever needs some is given an [`Entropy`].

/// Where random bytes come from: the operating system in the service, a seed in the simulator.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The random numbers of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the system gives no random numbers: a key made of anything else would be worse.
    #[expect(clippy::disallowed_methods, reason = "here randomness comes in")]
    fn fill(&self, bytes: &mut [u8]) {
        let filled = getrandom::fill(bytes);
        assert!(filled.is_ok(), "the operating system gives no random numbers: {filled:?}");
    }
}
