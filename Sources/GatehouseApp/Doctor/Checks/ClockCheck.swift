import GateCore

/// Whether this machine's clock is right: certificates and ACME depend on it.
struct ClockCheck {
    /// The wall clock here less the authority's `Date`; `nil` where there was no answer to compare with.
    let difference: Duration?
    /// Whose clock it was compared with.
    let host: String
    let kernel: KernelClock

    static let warningLimit = Duration.seconds(30)
    static let problemLimit = Duration.seconds(300)

    func finding() -> Finding {
        let remedy = "Let a time service keep it: apt install systemd-timesyncd && timedatectl set-ntp true; then see timedatectl status."
        guard let difference else {
            return kernel == .unsynchronized
                ? say(.warning, "Nothing keeps the clock in step, and there was nobody to compare it with.", remedy)
                : say(.skipped, "There was nobody to compare the clock with; \(kernelWords).")
        }
        let amount = difference < .zero ? .zero - difference : difference
        let words = "The clock is \(Duration.seconds(amount.secondsRoundedUp).text) \(difference < .zero ? "behind" : "ahead of") \(host)'s"
        if amount > Self.problemLimit {
            return say(.problem, words + ": certificates seem not yet valid or expired, and the authority refuses requests.", remedy)
        }
        if amount > Self.warningLimit { return say(.warning, words + "; \(kernelWords).", remedy) }
        // `Date` is in whole seconds, and took its time to come.
        if kernel == .unsynchronized {
            return say(.warning, "The clock agrees with \(host)'s, though nothing keeps it in step.", remedy)
        }
        return say(.ok, "The clock agrees with \(host)'s; \(kernelWords).")
    }

    private var kernelWords: String {
        switch kernel {
        case .synchronized: "a time service keeps it in step"
        case .unsynchronized: "nothing keeps it in step"
        case .unknown: "the kernel does not say whether it is kept in step"
        }
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("clock", Finding.thisMachine, status, seen, advice: advice)
    }
}
