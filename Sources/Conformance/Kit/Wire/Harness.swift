// Addresses, challenges and recordings are read in one place for both programs of the harness: whoever imports this kit sees them.
@_exported import Harness
