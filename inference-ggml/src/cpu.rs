//! The instructions that the compiled kernels use.
//!
//! The C++ is compiled for one declared level (`.cargo/config.toml`), no more and no less: another
//! level rounds otherwise. A processor without it would stop the process in the middle of a product.

/// The declared level, for people and for the profile's id.
pub const LEVEL: &str = if cfg!(target_arch = "x86_64") {
    "x86-64 with SSE4.2, AVX2, FMA, F16C, BMI2"
} else if cfg!(target_arch = "aarch64") {
    "ARMv8-A with NEON"
} else {
    "the baseline of the architecture"
};

/// What of the declared level this processor lacks.
pub fn missing() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("SSE4.2", std::is_x86_feature_detected!("sse4.2")),
        ("AVX", std::is_x86_feature_detected!("avx")),
        ("AVX2", std::is_x86_feature_detected!("avx2")),
        ("FMA", std::is_x86_feature_detected!("fma")),
        ("F16C", std::is_x86_feature_detected!("f16c")),
        ("BMI2", std::is_x86_feature_detected!("bmi2")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let features: [(&'static str, bool); 0] = [];
    features
        .into_iter()
        .filter_map(|(name, present)| (!present).then_some(name))
        .collect()
}
