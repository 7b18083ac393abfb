package import GateCore

/// What a new password must be. After NIST SP 800-63B-4 §3.1.1.2: length counts, and what attackers try first is refused; there are
/// no rules about kinds of characters, which make passwords harder to remember and no harder to guess.
package struct PasswordRules: Hashable, Sendable {
    /// In Unicode code points, as NIST counts: an emoji of several is several.
    package var minimumLength = 10
    /// In bytes of UTF-8. Beyond bcrypt's 72 the password is hashed before (CHECKLIST 24); the bound only keeps requests small.
    package var maximumSize = 1024

    package init() {}

    /// One entry for each requirement that is not met; none for a good password.
    ///
    /// - Parameters:
    ///   - email: of the user, if it is one; `name` likewise.
    package func faults(of password: Secret, field: String, email: EmailAddress?, name: String?) -> [FieldFault] {
        func fault(_ code: String, _ message: String) -> FieldFault { FieldFault(field: field, code: code, message: message) }
        guard password.count <= maximumSize else {
            return [fault("too_long", "At most \(maximumSize) bytes are allowed.")]
        }
        guard let text = String(validating: password.exposed, as: UTF8.self) else {
            return [fault("invalid_encoding", "The password is not valid UTF-8.")]
        }
        var faults: [FieldFault] = []
        if text.unicodeScalars.count < minimumLength {
            faults.append(fault("too_short", "At least \(minimumLength) characters are needed."))
        }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            faults.append(fault("control_character", "Control characters are not allowed."))
        }
        let lower = text.lowercased()
        if CommonPasswords.contains(lower) {
            faults.append(fault("too_common", "This password is among those that attackers try first."))
        }
        if Self.isMonotonous(lower.unicodeScalars.map(\.value)) {
            faults.append(fault("too_simple", "A repeated character or a run such as 12345 or abcde is too easy to guess."))
        }
        if let email, restIsShort(lower, without: String(email.localPart)) || restIsShort(lower, without: email.text) {
            faults.append(fault("contains_email", "The password is little more than the e-mail address."))
        }
        if let name, restIsShort(lower, without: name.lowercased()) {
            faults.append(fault("contains_name", "The password is little more than the name."))
        }
        return faults
    }

    /// Whether `word` is in the password and so much of it that what is left would be no password at all.
    private func restIsShort(_ password: String, without word: String) -> Bool {
        let word = Array(word.unicodeScalars)
        let scalars = Array(password.unicodeScalars)
        guard word.count >= 3, scalars.count >= word.count else { return false }
        let isContained = (0...(scalars.count - word.count)).contains { scalars[$0..<($0 + word.count)].elementsEqual(word) }
        return isContained && scalars.count - word.count < minimumLength / 2
    }

    /// One character only, one or two of them in turn, or each the next or the previous of the one before.
    private static func isMonotonous(_ scalars: [UInt32]) -> Bool {
        guard scalars.count > 2 else { return false }
        if zip(scalars, scalars.dropFirst(2)).allSatisfy({ $0 == $1 }) { return true }
        // After 9 comes 0, as on a keyboard.
        let steps = zip(scalars, scalars.dropFirst()).map { first, second in
            switch (first, second) {
            case (0x39, 0x30): 1
            case (0x30, 0x39): -1
            default: Int(second) - Int(first)
            }
        }
        return steps.allSatisfy { $0 == 1 } || steps.allSatisfy { $0 == -1 }
    }
}
