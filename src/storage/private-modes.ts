/** What is kept on a machine is nobody else's business there: members' pictures and prompts, and who spent what. */
export const PRIVATE_FILE_MODE = 0o600;
export const PRIVATE_FOLDER_MODE = 0o700;
