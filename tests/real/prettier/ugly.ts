export   type A<T>={[k in keyof T]:string}
